#include "sdk/templates/templates.h"

#include <algorithm>
#include <map>

#include "sdk/base/text.h"

namespace drover::templates {
namespace {
constexpr std::size_t max_name = 40;

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > max_name || text[0] < 'a' || text[0] > 'z' || text.back() == '-' || text.back() == '_') return false;
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
}

// What Debian calls that which building needs.
std::string packages_of(const std::string& language) {
  if (language == "go") return "golang-go protobuf-compiler libprotobuf-dev";
  if (language == "python") return "python3-grpcio python3-protobuf python3-msgpack protobuf-compiler libprotobuf-dev";
  return "clang-19 meson ninja-build pkg-config libboost1.81-dev libfmt-dev libexpected-dev nlohmann-json3-dev libgrpc++-dev libprotobuf-dev libssl-dev";
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
}

bool wants_proto(const Project& project, std::string_view name) {
  if (project.language == "cpp") return false;  // the SDK has it
  if (name == "driver.proto") return !project.device;
  if (name == "device.proto") return project.device;
  // The genuine library answers these by itself.
  if (name == "goplugin.proto" || name == "health.proto") return project.language != "go";
  return true;
}
}  // namespace

std::string program_of(const Project& project) { return (project.device ? "drover-device-" : "drover-driver-") + project.name; }

Result<> check(const Project& project) {
  if (!is_name(project.name)) {
    return fail(Code::invalid_argument, "{} is no name for a plugin: begin with a small letter, go on with small letters, digits, - and _, at most {} in all",
                quote(project.name), max_name);
  }
  if (project.language != "cpp" && project.language != "go" && project.language != "python") {
    return fail(Code::invalid_argument, "there are no templates for the language {}: -lang is cpp, go or python", quote(project.language));
  }
  return {};
}

std::vector<File> make(const Project& project) {
  const std::string kind = project.device ? "device/" : "driver/";
  std::map<std::string, std::string> files;
  for (const std::string& folder : {std::string("common/all/"), "common/" + kind, project.language + "/common/", project.language + "/" + kind}) {
    for (const File& file : embedded()) {
      if (file.path.starts_with(folder)) files[file.path.substr(folder.size())] = file.text;
    }
  }
  for (const File& file : embedded()) {
    if (file.path.starts_with("proto/") && wants_proto(project, file.path.substr(6))) files[file.path] = file.text;
  }
  const std::string flags = project.device ? "-config conformance.hcl" : "-task-config conformance.hcl";
  std::vector<File> out;
  for (auto& [path, text] : files) {
    replace_all(text, "@name@", project.name);
    replace_all(text, "@program@", program_of(project));
    replace_all(text, "@packages@", packages_of(project.language));
    replace_all(text, "@conformance_flags@", flags);
    out.push_back({path, std::move(text)});
  }
  return out;
}

}  // namespace drover::templates
