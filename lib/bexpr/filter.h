// Filter expressions (http-api 1.8): parsed once, evaluated over many objects. A value; pure; any thread.
//
// Error texts are part of the API: match() says `error finding value in datum: /Nope at part 0: ...` word for word, to which the
// caller adds its own `failed to read result page: `; parse() gives the parser's text for `failed to read filter expression: `.
#pragma once

#include <memory>
#include <string_view>

#include "lib/bexpr/datum.h"
#include "sdk/base/error.h"

namespace drover::bexpr {

struct Node;

class Filter {
 public:
  // At most 4 KiB and 64 levels (security 4.3).
  [[nodiscard]] static Result<Filter> parse(std::string_view text);
  [[nodiscard]] Result<bool> match(const Datum& object) const;

 private:
  explicit Filter(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;
};

}  // namespace drover::bexpr
