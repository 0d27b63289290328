#include <doctest/doctest.h>

#include "sdk/plugin/handshake.h"
#include "sdk/plugin/launch.h"

using namespace drover;
using namespace drover::plugin;

TEST_CASE("P_14 handshake: a line is read strictly") {
  const Handshake expected{"unix", "/d/plugin1"};
  CHECK(parse_handshake("1|2|unix|/d/plugin1|grpc|") == Result<Handshake>(expected));
  CHECK(parse_handshake("1|2|unix|/d/plugin1|grpc") == Result<Handshake>(expected));
  CHECK(parse_handshake(" 1|2|unix|/d/plugin1|grpc||true \r") == Result<Handshake>(expected));
  CHECK(parse_handshake(format_handshake(expected)) == Result<Handshake>(expected));
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
