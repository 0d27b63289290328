#include <algorithm>
#include <nlohmann/json.hpp>

#include "plugins/java/driver.h"
#include "sdk/base/text.h"
#include "sdk/plugin/config.h"

namespace drover::java {

plugin::Spec config_schema() { return exec::config_schema(); }

plugin::Spec task_config_schema() {
  using namespace plugin;
  auto attributes = std::get<ObjectSpec>(exec::task_config_schema().node().kind).attributes;
  attributes.erase("command");
  for (const char* name : {"class", "class_path", "jar_path"}) attributes[name] = attr(name, "string");
  attributes["jvm_options"] = attr("jvm_options", "list(string)");
  return object(std::move(attributes));
}

Result<std::string> exec_config(std::string_view msgpack, const std::string& java) {
  auto json = plugin::decode_config(msgpack);
  if (!json) return fail(json.error(), "config block of the task");
  const std::string name = plugin::get_string(*json, "class");
  const std::string class_path = plugin::get_string(*json, "class_path");
  const std::string jar = plugin::get_string(*json, "jar_path");
  if (name.empty() && jar.empty()) return fail(Code::invalid_argument, "jar_path or class must be specified");
  auto arguments = plugin::get_strings(*json, "jvm_options");
  if (!class_path.empty()) arguments.insert(arguments.end(), {"-cp", class_path});
  if (!jar.empty()) arguments.insert(arguments.end(), {"-jar", jar});
  if (!name.empty()) arguments.push_back(name);
  const auto own = plugin::get_strings(*json, "args");
  arguments.insert(arguments.end(), own.begin(), own.end());
  for (const char* key : {"class", "class_path", "jar_path", "jvm_options"}) json->erase(key);
  (*json)["command"] = plugin::get_string(*json, "rootfs").empty() ? java : "java";
  (*json)["args"] = std::move(arguments);
  return plugin::to_msgpack(*json);
}

Version parse_version(std::string_view output) {
  auto lines = split(trim(output), '\n');
  const auto is_notice = [](const std::string& line) { return line.starts_with("Picked up ") || line.find("warning:") != std::string::npos; };
  lines.erase(lines.begin(), std::find_if_not(lines.begin(), lines.end(), is_notice));
  if (lines.size() < 3) return {};
  // openjdk version "17.0.15" 2025-04-15; the first run of digits, dots and underscores.
  const std::string first(trim(lines[0]));
  constexpr const char* digits = ".0123456789_";
  const auto begin = first.find_first_of(digits);
  if (begin == std::string::npos) return {first, std::string(trim(lines[1])), std::string(trim(lines[2]))};
  const auto end = first.find_first_not_of(digits, begin);
  return {first.substr(begin, end == std::string::npos ? end : end - begin), std::string(trim(lines[1])), std::string(trim(lines[2]))};
}

std::string home_to_bind(const std::string& java, const std::map<std::string, std::string>& chroot_env) {
  for (const auto& [host, task] : chroot_env) {
    if (host == task && java.starts_with(host + "/")) return {};
  }
  const auto bin = java.rfind('/');
  const auto home = bin == std::string::npos || bin == 0 ? std::string::npos : java.rfind('/', bin - 1);
  return home == std::string::npos || home == 0 ? std::string() : java.substr(0, home);
}

}  // namespace drover::java
