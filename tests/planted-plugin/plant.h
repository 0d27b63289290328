// One fault per item of the conformance suite: what the planted plugin does wrong, in its calls. Item 0 does nothing wrong.
//
// It sits between the host and a driver that is in order (sdk/testkit/relay.h).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "sdk/testkit/relay.h"

namespace drover::planted {

class Plant final : public testkit::Meddler {
 public:
  // `clean` says that the process before this one was stopped in order.
  Plant(int item, bool clean) : item_(item), clean_(clean) {}
  [[nodiscard]] int item() const { return item_; }

  testkit::Intercepted before(std::string_view path, std::string& request) override;
  void after(std::string_view path, const std::string& request, Result<std::string>& answer) override;
  void opened_stream(std::string_view path) override;
  bool to_driver(std::string_view path, std::string& message) override;
  bool to_host(std::string_view path, std::string& message) override;
  std::optional<Result<>> ends_stream(std::string_view path, std::size_t messages) override;

  [[nodiscard]] const std::set<std::string>& running() const { return running_; }
  [[nodiscard]] bool was_called() const { return calls_ > 0; }

 private:
  testkit::Intercepted before_base(std::string_view method, std::string& request);
  testkit::Intercepted before_driver(std::string_view method, std::string& request);
  void after_base(std::string_view method, std::string& reply);
  void after_driver(std::string_view method, const std::string& request, Result<std::string>& answer);

  int item_;
  bool clean_;
  int calls_ = 0, set_configs_ = 0, inits_ = 0;
  std::set<std::string> running_, stopped_, waited_;
  std::map<std::string, std::string> started_;  // answers of StartTask by task
};

}  // namespace drover::planted
