// Runs a callable at the end of the scope: `Defer close_it([&] { ... });`
#pragma once

#include <utility>

namespace drover {

template <class F>
class [[nodiscard]] Defer {
 public:
  explicit Defer(F action) : action_(std::move(action)) {}
  Defer(const Defer&) = delete;
  Defer& operator=(const Defer&) = delete;
  ~Defer() { if (armed_) action_(); }
  void dismiss() { armed_ = false; }

 private:
  F action_;
  bool armed_ = true;
};

}  // namespace drover
