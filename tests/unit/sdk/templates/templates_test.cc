#include <doctest/doctest.h>

#include <algorithm>

#include "sdk/templates/templates.h"

using namespace drover;
using namespace drover::templates;

namespace {
const File* find(const std::vector<File>& files, std::string_view path) {
  const auto found = std::ranges::find(files, path, &File::path);
  return found == files.end() ? nullptr : &*found;
}
}  // namespace

TEST_CASE("templates: a name is one that jobs, files and variables can have") {
  for (const char* name : {"a", "hello", "hello-2", "my_driver", "x9"}) CHECK(check({name, "go"}).has_value());
  for (const char* name : {"", "Hello", "2nd", "-x", "x-", "x_", "a/b", "..", "a b", "\xc3\xa4", "a.b"}) {
    CAPTURE(name);
    CHECK(check({name, "go"}).error().code() == Code::invalid_argument);
  }
  CHECK(check({std::string(40, 'a'), "go"}).has_value());
  CHECK_FALSE(check({std::string(41, 'a'), "go"}).has_value());
}

TEST_CASE("templates: a language without templates is refused by name") {
  CHECK(check({"a", "rust"}).error().message() == "there are no templates for the language \"rust\": -lang is cpp, go or python");
}

TEST_CASE("templates: a project has the files of its language and kind, with the name filled in") {
  const auto files = make({"hello", "go", false});
  REQUIRE(find(files, "driver.go") != nullptr);
  CHECK(find(files, "device.go") == nullptr);
  CHECK(find(files, "driver.py") == nullptr);
  CHECK(find(files, "go.mod")->text.starts_with("module example.com/hello\n"));
  CHECK(find(files, "Makefile")->text.find("build/drover-driver-hello") != std::string::npos);
  CHECK(std::ranges::is_sorted(files, {}, &File::path));
  for (const File& file : files) {
    CAPTURE(file.path);
    CHECK(file.text.find("@name@") == std::string::npos);
    CHECK(file.text.find("@program@") == std::string::npos);
  }
}

TEST_CASE("templates: the protocol comes with the languages that generate from it, with protobuf's own well-known types") {
  const auto go = make({"hello", "go", false}), python = make({"hello", "python", true}), cpp = make({"hello", "cpp", false});
  REQUIRE(find(go, "proto/driver.proto") != nullptr);
  const std::string& text = find(go, "proto/driver.proto")->text;
  CHECK(text.find("google.protobuf.Duration timeout") != std::string::npos);
  CHECK(text.find("drover.known") == std::string::npos);
  CHECK(text.find("LITE_RUNTIME") == std::string::npos);
  CHECK(text.find("service Driver {") != std::string::npos);
  CHECK(find(go, "proto/device.proto") == nullptr);
  CHECK(find(go, "proto/goplugin.proto") == nullptr);  // the genuine library answers those itself
  CHECK(find(python, "proto/device.proto") != nullptr);
  CHECK(find(python, "proto/goplugin.proto") != nullptr);
  CHECK(find(cpp, "proto/driver.proto") == nullptr);
}
