// Go's text/template: parse a text once, execute it over data.
//
// Functions are injected: `builtin_functions()` are Go's own, callers add theirs (consul-template's, sprig's) before parsing, since
// a name nobody knows is a mistake of the text. Errors are Go's, with line and column:
// `template: NAME:1:9: executing "NAME" at <.config.Region>: can't evaluate field config in type *api.AgentSelf`.
// Pure: what functions reach out for is theirs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/gotemplate/value.h"

namespace drover::gotemplate {

struct Function {
  using Call = std::function<Result<Value>(const std::vector<Value>&)>;
  Call call;
  // Go types of the parameters: "string", "int", "[]string", ..., "" for any; a last one that starts with "..." takes the rest.
  std::vector<std::string> parameters = {"..."};
};
using Functions = std::map<std::string, Function, std::less<>>;

// and, or, not, len, index, slice, print, printf, println, html, js, urlquery, call, eq, ne, lt, le, gt, ge.
[[nodiscard]] const Functions& builtin_functions();

struct Options {
  std::string left = "{{", right = "}}";
  // A map without the key asked for is an error instead of `<no value>`.
  bool missing_key_is_error = false;
};

struct Tree;

class Template {
 public:
  [[nodiscard]] static Result<Template> parse(std::string name, std::string_view text, Functions functions = builtin_functions(), Options options = {});
  [[nodiscard]] Result<std::string> execute(const Value& data) const;

 private:
  std::shared_ptr<const Tree> tree_;
  std::shared_ptr<const Functions> functions_;
  Options options_;
};

}  // namespace drover::gotemplate
