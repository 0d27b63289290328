// The errors of bodies that are not what their endpoint reads, in the words of Go's decoder.
#include <array>

#include "sdk/base/text.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

// The Go type of what the decoder of lib/model expected.
std::string_view go_kind(std::string_view expected) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kinds{{
      {"a string", "string"}, {"a boolean", "bool"}, {"true or false", "bool"}, {"an integer", "int"}}};
  for (const auto& [text, kind] : kinds) {
    if (expected.starts_with(text)) return kind;
  }
  return {};
}

}  // namespace

Error type_error(const Error& error, std::string_view go_type) {
  // "Job.ID: expected a string, found number"
  const std::string_view text = error.message();
  if (const auto base64 = text.find("illegal base64 data"); base64 != std::string_view::npos) {
    return Error(Code::invalid_argument, std::string(text.substr(base64)));
  }
  const auto colon = text.find(": expected ");
  const auto comma = text.rfind(", found ");
  if (colon == std::string_view::npos || comma == std::string_view::npos || comma < colon) return error;
  const std::string_view kind = go_kind(text.substr(colon + 11));
  if (kind.empty()) return error;
  const std::vector<std::string> path = split(text.substr(0, colon), '.');
  // The struct that has the field: named after the member that holds it, or the request itself.
  std::string owner(go_type.substr(go_type.find('.') + 1));
  std::vector<std::string> names;
  for (const auto& part : path) {
    if (!part.empty() && part.find_first_not_of("0123456789") != std::string::npos) names.push_back(part);
  }
  if (names.size() > 1) {
    owner = names[names.size() - 2];
    if (owner.ends_with('s')) owner.pop_back();
  }
  return Error(Code::invalid_argument, fmt::format("json: cannot unmarshal {} into Go struct field {}.{} of type {}", text.substr(comma + 8), owner,
                                                   join(names, "."), kind));
}

}  // namespace drover::api
