#include "agent/pluginhost/reattach_record.h"

#include <nlohmann/json.hpp>

namespace drover::pluginhost {
using json = nlohmann::json;

std::string encode_reattach(const std::vector<plugin::Reattach>& tuples) {
  json out = json::array();
  for (const auto& tuple : tuples) {
    out.push_back({{"network", tuple.network}, {"address", tuple.address}, {"pid", tuple.pid}, {"start_ticks", tuple.start_ticks},
                   {"boot_id", tuple.boot_id}, {"executable", tuple.executable}, {"directory", tuple.directory},
                   {"executable_device", tuple.executable_device}, {"executable_inode", tuple.executable_inode}});
    if (!tuple.certificate.empty()) out.back().update({{"certificate", tuple.certificate}, {"own_certificate", tuple.own.certificate}, {"own_key", tuple.own.key}});
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<plugin::Reattach> decode_reattach(const std::string& text) {
  std::vector<plugin::Reattach> out;
  const json list = json::parse(text, nullptr, false);
  if (!list.is_array()) return out;
  const auto field = [](const json& object, const char* key, auto& to) {
    using T = std::decay_t<decltype(to)>;
    const auto found = object.find(key);
    if (found == object.end()) return;
    if constexpr (std::is_same_v<T, std::string>) {
      if (found->is_string()) to = found->get<T>();
    } else {
      if (found->is_number_integer()) to = found->get<T>();
    }
  };
  for (const json& object : list) {
    if (!object.is_object()) continue;
    plugin::Reattach& tuple = out.emplace_back();
    field(object, "network", tuple.network);
    field(object, "address", tuple.address);
    field(object, "pid", tuple.pid);
    field(object, "start_ticks", tuple.start_ticks);
    field(object, "boot_id", tuple.boot_id);
    field(object, "executable", tuple.executable);
    field(object, "directory", tuple.directory);
    field(object, "executable_device", tuple.executable_device);
    field(object, "executable_inode", tuple.executable_inode);
    field(object, "certificate", tuple.certificate);
    field(object, "own_certificate", tuple.own.certificate);
    field(object, "own_key", tuple.own.key);
  }
  return out;
}

}  // namespace drover::pluginhost
