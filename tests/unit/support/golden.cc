#include "tests/unit/source_dir.h"
#include "tests/unit/support/golden.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

namespace drover::golden {
namespace {

namespace fs = std::filesystem;

const fs::path stored = fs::path(source_dir()) / "tests/golden";

bool verbose() { return std::getenv("DROVER_GOLDEN_VERBOSE") != nullptr; }

bool stands_for(const nlohmann::json& want, const nlohmann::json& got) {
  if (!want.is_string()) return false;
  const std::string text = want;
  if (text == "<varies>") return true;
  if (text == "<index>" || text == "<nanos>" || text == "<dur>" || text == "<number>") return got.is_number();
  return (text == "<time>" || text == "<uuid>") && got.is_string() && !got.get<std::string>().empty();
}

void compare(const nlohmann::json& got, const nlohmann::json& want, const std::string& path, std::vector<std::string>& out) {
  if (got == want || stands_for(want, got)) return;
  if (got.is_object() && want.is_object()) {
    std::set<std::string> names;
    for (const auto& [name, value] : got.items()) names.insert(name);
    for (const auto& [name, value] : want.items()) names.insert(name);
    for (const std::string& name : names) {
      if (!got.contains(name)) out.push_back(path + "." + name + ": missing, want " + want[name].dump());
      else if (!want.contains(name)) out.push_back(path + "." + name + ": got " + got[name].dump() + ", want nothing");
      else compare(got[name], want[name], path + "." + name, out);
    }
    return;
  }
  if (got.is_array() && want.is_array() && got.size() == want.size()) {
    for (std::size_t i = 0; i < got.size(); i++) compare(got[i], want[i], path + "[" + std::to_string(i) + "]", out);
    return;
  }
  out.push_back(path + ": got " + got.dump() + ", want " + want.dump());
}

}  // namespace

fs::path topic(const std::string& name) {
  const char* other = std::getenv("GOLDEN_DIR");
  return (other != nullptr && *other != '\0' ? fs::path(other) : stored) / name;
}

bool has(const std::string& name) { return fs::exists(topic(name)); }

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

nlohmann::json read_json(const fs::path& path) { return nlohmann::json::parse(read(path)); }

std::vector<fs::path> stems(const fs::path& folder, const std::string& end) {
  std::vector<fs::path> out;
  if (!fs::exists(folder)) return out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().string();
    if (name.ends_with(end)) out.emplace_back(name.substr(0, name.size() - end.size()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string differences(const nlohmann::json& got, const nlohmann::json& want) {
  std::vector<std::string> lines;
  compare(got, want, "", lines);
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : "\n    ") + line;
  return out;
}

Tally::Tally(std::string topic, std::string part) : title_(part.empty() ? topic : topic + "-" + part) {
  std::ifstream file(stored / topic / "known_differences.txt");
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') known_.insert(line.substr(0, line.find(' ')));
  }
}

void Tally::report(const std::string& name, const std::string& difference) {
  (difference.empty() ? agreed_ : differed_)++;
  if (!difference.empty() && verbose()) std::cout << name << "\n    " << difference << "\n";
  if (!difference.empty() && !known_.contains(name)) std::cout << "no longer agrees: " << title_ << " " << name << "\n";
  INFO(name << ": " << difference);
  if (known_.contains(name)) CHECK_FALSE_MESSAGE(difference.empty(), name << " agrees now: take it off known_differences.txt");
  else CHECK(difference == "");
}

Tally::~Tally() { std::cout << title_ << ": " << agreed_ << " of " << agreed_ + differed_ << " agree" << std::endl; }

}  // namespace drover::golden
