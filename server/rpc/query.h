// Reads: blocking, paging and filtering, once for all endpoints (http-api 1.6 to 1.8).
#pragma once

#include <functional>

#include "lib/model/query.h"
#include "server/rpc/context.h"

namespace drover::rpc {

// Runs `read` on the newest snapshot and answers at once, or, with a minimum index, when the answer's own index exceeds it or
// the time is over. `read` puts what its answer depends on into the watch set.
template <class Reply>
[[nodiscard]] Async<Result<Reply>> query(Context& c, model::QueryOptions options,
                                         std::function<Result<Reply>(const state::Snapshot&, state::WatchSet&)> read) {
  using std::chrono::steady_clock;
  constexpr std::chrono::nanoseconds most = std::chrono::seconds(300);
  std::chrono::nanoseconds wait = options.max_query_time;
  if (wait.count() <= 0 || wait > most) wait = most;
  // Jitter spreads the clients that would all come back at the same time.
  wait += std::chrono::nanoseconds(static_cast<std::int64_t>(c.rng.below(static_cast<std::uint64_t>(wait.count() / 16 + 1))));
  const auto until = steady_clock::now() + wait;
  state::WatchSet watch(c.fsm.store().watches(), c.executor);
  for (;;) {
    if (c.stopping) co_return fail(Code::unavailable, "the server is shutting down");
    if (!options.allow_stale && !c.writer.may_read()) co_return fail(Code::no_leader, "No cluster leader");
    watch.clear();
    const auto snapshot = c.fsm.store().snapshot();
    auto reply = read(*snapshot, watch);
    if (!reply) co_return reply;
    reply->known_leader = c.writer.leader_known();
    if (const auto contact = c.writer.last_contact()) reply->last_contact = *contact;
    if (options.min_query_index == 0 || reply->index > options.min_query_index) co_return reply;
    const auto left = until - steady_clock::now();
    if (left.count() <= 0) co_return reply;
    co_await watch.wait_for(left);
  }
}

[[nodiscard]] Result<Matcher> make_matcher(const Context& c, const model::QueryOptions& options);

// Walks `tree` from `low` to `high` (both included), from `start` on when a token gave one, backwards when asked. Gives `emit` the
// matching items of one page and answers the token of the first item after it.
template <class Tree, class Ptr, class TokenOf, class Emit>
[[nodiscard]] Result<std::string> walk(const Tree& tree, typename Tree::Key low, typename Tree::Key high,
                                       std::optional<typename Tree::Key> start, const model::QueryOptions& options, const Matcher& match,
                                       TokenOf token_of, Emit emit, std::function<bool(const Ptr&)> also = {}) {
  std::string next;
  std::optional<Error> error;
  std::int64_t count = 0;
  const auto visit = [&](const Ptr& item) {
    if (also && !also(item)) return true;
    if (match) {
      auto matched = match(state::Object(item));
      if (!matched) {
        error = Error(Code::invalid_argument, "failed to read result page: " + matched.error().message());
        return false;
      }
      if (!*matched) return true;
    }
    if (options.per_page > 0 && count == options.per_page) {
      next = token_of(item);
      return false;
    }
    ++count;
    emit(item);
    return true;
  };
  const typename Tree::KeyOfType key_of{};
  if (options.reverse) {
    tree.scan_back(start && *start < high ? *start : high, [&](const Ptr& item) { return !(key_of(item) < low) && visit(item); });
  } else {
    tree.scan(start && low < *start ? *start : low, [&](const Ptr& item) { return !(high < key_of(item)) && visit(item); });
  }
  if (error) return fail(std::move(*error));
  return next;
}

// After every id that starts with `prefix`.
[[nodiscard]] inline std::string after_prefix(std::string_view prefix) { return std::string(prefix) + "\xff"; }

// The two parts of "12.<id>"; an id alone has the number 0.
[[nodiscard]] std::pair<std::uint64_t, std::string> created_token(std::string_view token);
[[nodiscard]] std::string created_token(std::uint64_t index, std::string_view id);

// Evaluations, allocations and deployments are listed in the same three ways: by id with a prefix, else by creation in one
// namespace or in all.
template <class Ptr, class ById, class ByCreated, class ByNamespace, class Emit>
[[nodiscard]] Result<std::string> walk_created(const ById& by_id, const ByCreated& by_created, const ByNamespace& by_namespace,
                                               const std::string& prefix, const std::string& namespace_, const model::QueryOptions& options,
                                               const Matcher& match, Emit emit, std::function<bool(const Ptr&)> also = {}) {
  constexpr std::uint64_t last = ~std::uint64_t{0};
  const bool everywhere = namespace_ == "*";
  if (!prefix.empty()) {
    const std::string high = after_prefix(prefix);
    std::optional<std::string_view> start;
    if (!options.next_token.empty()) start = options.next_token;
    std::function<bool(const Ptr&)> in = [&](const Ptr& p) { return (everywhere || p->namespace_ == namespace_) && (!also || also(p)); };
    return walk<ById, Ptr>(by_id, prefix, high, start, options, match, [](const Ptr& p) { return p->id; }, emit, in);
  }
  const auto [index, id] = created_token(options.next_token);
  const auto token = [](const Ptr& p) { return created_token(p->create_index, p->id); };
  const std::string_view end = "\xff";
  if (everywhere) {
    std::optional<typename ByCreated::Key> start;
    if (!options.next_token.empty()) start = typename ByCreated::Key{index, id};
    return walk<ByCreated, Ptr>(by_created, {0, {}}, {last, end}, start, options, match, token, emit, also);
  }
  std::optional<typename ByNamespace::Key> start;
  if (!options.next_token.empty()) start = typename ByNamespace::Key{namespace_, index, id};
  return walk<ByNamespace, Ptr>(by_namespace, {namespace_, 0, {}}, {namespace_, last, end}, start, options, match, token, emit, also);
}

// What a list depends on: a prefix that matches something only those objects, any other the namespace.
void watch_list(state::WatchSet& watch, state::Table table, const std::string& namespace_, const std::string& prefix, bool any);

}  // namespace drover::rpc
