// When a periodic job was last launched: what a new leader goes on from.
#pragma once

#include <cstdint>
#include <string>

namespace drover::model {

struct PeriodicLaunch {
  std::string id;
  std::string namespace_;
  std::int64_t launch = 0;  // seconds; the registration, until the first launch
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Namespace", self.namespace_);
    v("Launch", self.launch);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
  }
  friend bool operator==(const PeriodicLaunch&, const PeriodicLaunch&) = default;
};

}  // namespace drover::model
