#include "cli/agent/telemetry.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "sdk/base/fd.h"

using namespace drover;
using namespace drover::cli;

TEST_CASE("telemetry: labels go into statsd's names and into DataDog's tags") {
  const metrics::Labels labels{{"job", "a:b"}, {"task", "t"}};
  CHECK(statsd_line('g', "nomad.client.uptime", 12.5, labels, {}) == "nomad.client.uptime.a_b.t:12.5|g");
  CHECK(statsd_line('c', "nomad.raft.apply", 1, {}, {}) == "nomad.raft.apply:1|c");
  CHECK(statsd_line('m', "nomad.nomad.job.register", 0.25, labels, {.tags = true, .constant_tags = {"env:prod"}}) ==
        "nomad.nomad.job.register:0.25|ms|#env:prod,job:a_b,task:t");
}

TEST_CASE("telemetry: metrics reach a statsd receiver, and a wrong address is named") {
  Fd receiver(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(receiver.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(receiver.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);

  agent::Config config;
  config.telemetry.statsd_address = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
  metrics::Registry registry(system_clock(), metrics_options(config));
  REQUIRE(add_sinks(registry, config));
  registry.add_counter("raft.apply");
  std::string text(256, '\0');
  const auto received = ::recv(receiver.get(), text.data(), text.size(), 0);
  REQUIRE(received > 0);
  text.resize(static_cast<std::size_t>(received));
  CHECK(text.starts_with("nomad.raft.apply"));
  CHECK(text.ends_with(":1|c"));

  config.telemetry.statsd_address = "nowhere";
  const auto refused = add_sinks(registry, config);
  REQUIRE(!refused);
  CHECK(refused.error().message() == "telemetry.statsd_address: \"nowhere\" is not host:port");
}

TEST_CASE("telemetry: receivers that are not served are refused by their key") {
  metrics::Registry registry(system_clock());
  agent::Config config;
  config.telemetry.statsite_address = "127.0.0.1:8125";
  const auto refused = add_sinks(registry, config);
  REQUIRE(!refused);
  CHECK(refused.error().message().starts_with("telemetry.statsite_address is set"));
}
