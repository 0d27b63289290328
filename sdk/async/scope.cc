#include "sdk/async/scope.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <cstdio>
#include <exception>

#include "sdk/base/error.h"

namespace drover {

struct Scope::State {
  explicit State(const Executor& executor) : changed(executor) {}
  std::list<asio::cancellation_signal> members;
  Condition changed;
};

namespace {
// `a || b` ends with both sides' exceptions when it is cancelled as a whole; they are then alike.
std::exception_ptr first_failure(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const asio::multiple_exceptions& several) {
    return first_failure(several.first_exception());
  } catch (...) {
    return failure;
  }
}
}  // namespace

Scope::Scope(Executor executor) : executor_(std::move(executor)), state_(std::make_shared<State>(executor_)) {}

Scope::~Scope() { cancel(); }

void Scope::spawn(Async<> work) {
  const auto member = state_->members.emplace(state_->members.end());
  auto done = [state = state_, member](const std::exception_ptr& failure) {
    state->members.erase(member);
    state->changed.notify_all();
    if (!failure) return;
    try {
      std::rethrow_exception(first_failure(failure));
    } catch (const boost::system::system_error& error) {
      if (error.code() == asio::error::operation_aborted) return;
      std::fprintf(stderr, "drover: internal error: a coroutine ended with %s\n", error.what());
      std::abort();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "drover: internal error: a coroutine ended with %s\n", error.what());
      std::abort();
    }
  };
  asio::co_spawn(executor_, std::move(work), asio::bind_cancellation_slot(member->slot(), std::move(done)));
}

void Scope::cancel() {
  // Cancelling may end a member at once, which removes it from the list: take the next one first.
  auto keep = state_;
  for (auto at = keep->members.begin(); at != keep->members.end();) (at++)->emit(asio::cancellation_type::terminal);
}

Async<> Scope::join() {
  while (!state_->members.empty()) co_await state_->changed.wait();
}

Async<> Scope::close() {
  cancel();
  co_await join();
}

std::size_t Scope::size() const { return state_->members.size(); }

}  // namespace drover
