#include <doctest/doctest.h>

#include "sdk/plugin/handshake.h"
#include "sdk/plugin/launch.h"
#include "sdk/plugin/tail.h"

using namespace drover;
using namespace drover::plugin;

TEST_CASE("P_14 handshake: a line is read strictly") {
  const Handshake expected{"unix", "/d/plugin1"};
  CHECK(parse_handshake("1|2|unix|/d/plugin1|grpc|") == Result<Handshake>(expected));
  CHECK(parse_handshake("1|2|unix|/d/plugin1|grpc") == Result<Handshake>(expected));
  CHECK(parse_handshake(" 1|2|unix|/d/plugin1|grpc||true \r") == Result<Handshake>(expected));
  CHECK(parse_handshake(format_handshake(expected)) == Result<Handshake>(expected));
  const std::string certificate(60, 'A');
  CHECK(parse_handshake("1|2|unix|/d/plugin1|grpc|" + certificate) == Result<Handshake>(Handshake{"unix", "/d/plugin1", certificate}));
  CHECK(parse_handshake("1|2|unix|/d/plugin1|grpc|too short for one") == Result<Handshake>(expected));
  for (const char* bad : {"", "1|2|unix", "+1|2|unix|/d|grpc", "1|02|unix|/d|grpc", "1|2|unix||grpc", "1|2|unix|/d\x01|grpc", "1|2|unix|/d|netrpc"}) {
    CHECK(!parse_handshake(bad));
  }
  CHECK(!parse_handshake("1|2|unix|/" + std::string(5000, 'a') + "|grpc"));
}

TEST_CASE("handshake: records of a plugin's stderr") {
  PluginLogParser parser;
  auto record = parser.parse(R"({"@level":"warn","@message":"m","@module":"x","@timestamp":"2026-01-02T03:04:05.000006Z","k":1})");
  CHECK(record.level == LogLevel::warn);
  CHECK(record.message == "m");
  CHECK(record.pairs.size() == 3);
  // Values that crash hosts written in Go.
  for (const char* raw : {R"({"@level":7,"@message":"m"})", R"({"@message":[],"@level":"info"})", R"({"@timestamp":"today","@level":"info"})", "{", "plain"}) {
    record = parser.parse(raw);
    CHECK(record.message == raw);
    CHECK(record.level == LogLevel::debug);
  }
  CHECK(parser.parse("[WARN] x").level == LogLevel::warn);
  CHECK(parser.parse("panic: boom").level == LogLevel::error);
  CHECK(parser.parse("goroutine 1").level == LogLevel::error);
  CHECK(parser.parse("[INFO] y").level == LogLevel::info);
  CHECK(parser.parse("goroutine 1").level == LogLevel::debug);
}

TEST_CASE("P_30 launch: secrets of the agent's environment stay with it") {
  const auto kept = filter_environment({{"PATH", "/bin"}, {"VAULT_TOKEN", "x"}, {"MY_SECRET", "x"}, {"NOMAD_ADDR", "x"}, {"PLUGIN_CLIENT_CERT", "x"}, {"LANG", "C"}});
  CHECK(kept == std::vector<std::pair<std::string, std::string>>{{"PATH", "/bin"}, {"LANG", "C"}});
}

TEST_CASE("P-22: a line over the limit comes in pieces of the limit, whatever the reads were") {
  for (const std::size_t read : {std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
    CAPTURE(read);
    plugin::LineSplitter splitter(10);
    std::vector<std::string> lines;
    const std::string text = "short\n" + std::string(25, 'l') + "\r\n\n" + std::string(10, 'x') + "\nrest";
    for (std::size_t at = 0; at < text.size(); at += read) {
      splitter.feed(std::string_view(text).substr(at, read), [&](std::string_view line) { lines.emplace_back(line); });
    }
    CHECK(lines == std::vector<std::string>{"short", "llllllllll", "llllllllll", "lllll", "", "xxxxxxxxxx"});
    CHECK(splitter.rest() == "rest");
  }
}
