#include "server/rpc/query.h"

#include <charconv>

namespace drover::rpc {

Result<Matcher> make_matcher(const Context& c, const model::QueryOptions& options) {
  if (options.filter.empty()) return Matcher{};
  if (!c.hooks.parse_filter) return fail(Code::unimplemented, "filter expressions are not available");
  auto matcher = c.hooks.parse_filter(options.filter);
  if (!matcher) {
    return fail(Error(Code::invalid_argument,
                      "failed to create result paginator: failed to read filter expression: " + matcher.error().message()));
  }
  return matcher;
}

std::pair<std::uint64_t, std::string> created_token(std::string_view token) {
  std::uint64_t index = 0;
  const auto dot = token.find('.');
  if (dot == std::string_view::npos) return {0, std::string(token)};
  std::from_chars(token.data(), token.data() + dot, index);
  return {index, std::string(token.substr(dot + 1))};
}

std::string created_token(std::uint64_t index, std::string_view id) { return std::to_string(index) + "." + std::string(id); }

void watch_list(state::WatchSet& watch, state::Table table, const std::string& namespace_, const std::string& prefix, bool any) {
  const bool everywhere = namespace_ == "*";
  if (!prefix.empty() && any) watch.add_prefix(table, everywhere ? "" : namespace_, prefix);
  else if (everywhere) watch.add(table, state::Scope::all);
  else watch.add(table, state::Scope::in_namespace, namespace_);
}

}  // namespace drover::rpc
