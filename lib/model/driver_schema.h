// What a node says of its drivers' configuration, `GET /v1/client/drivers`. `describe` lists each field once.
#pragma once

#include <string>

#include "lib/model/types.h"

namespace drover::model {

struct DriverSchema {
  std::string name;
  std::string version;      // of the plugin
  Any task_config;          // what a task's config block may hold, in the form of sdk/plugin/schema_json.h

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Version", self.version);
    v("TaskConfig", self.task_config);
  }
  friend bool operator==(const DriverSchema&, const DriverSchema&) = default;
};

}  // namespace drover::model
