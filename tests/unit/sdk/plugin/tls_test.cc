#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <csignal>

#include "sdk/async/process.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/plugin/secure_channel.h"

using namespace drover;
using namespace drover::plugin;

namespace {
struct Pair {
  Pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    first = Fd(ends[0]);
    second = Fd(ends[1]);
  }
  Fd first, second;
};

Async<> keep(Async<Result<>> work, std::optional<Result<>>& out) {
  const auto result = co_await std::move(work);
  out.emplace(result);
}

Async<> transfer(int from, int to, std::string text, std::string& received) {
  std::size_t written = 0;
  while (received.size() < text.size()) {
    if (written < text.size()) {
      const ssize_t size = ::write(from, text.data() + written, std::min<std::size_t>(text.size() - written, 30'000));
      if (size > 0) written += static_cast<std::size_t>(size);
    }
    char buffer[65536];
    const ssize_t size = ::read(to, buffer, sizeof buffer);
    if (size > 0) received.append(buffer, static_cast<std::size_t>(size));
    else if (size == 0) co_return;
    else if (written == text.size()) [[maybe_unused]] const auto ready = co_await wait_readable(to);
    else co_await sleep_for(std::chrono::microseconds(100));
  }
}

Async<> talk(Fd client, Fd server, std::string text, std::string& there, std::string& back) {
  co_await transfer(client.get(), server.get(), text, there);
  co_await transfer(server.get(), client.get(), text, back);
}
}  // namespace

TEST_CASE("P_12 tls: a certificate survives the handshake line") {
  const auto identity = make_identity();
  REQUIRE(identity);
  const auto field = to_field(identity->certificate);
  REQUIRE(field);
  CHECK(field->find_first_of("=|\n") == std::string::npos);
  CHECK(from_field(*field) == Result<std::string>(identity->certificate));
  CHECK_FALSE(from_field("bm8gY2VydGlmaWNhdGU").has_value());
  CHECK_FALSE(from_field("*").has_value());
  CHECK_FALSE(to_field("no PEM").has_value());
}

TEST_CASE("P_12 tls: two sides that know each other exchange megabytes both ways") {
  std::signal(SIGPIPE, SIG_IGN);
  asio::io_context loop;
  const auto host = make_identity(), plugin = make_identity();
  REQUIRE(host);
  REQUIRE(plugin);
  Pair near, wire, far;
  std::optional<Result<>> client, server;
  std::string there, back;
  std::string text(3 << 20, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 >> 3);
  {
    Scope scope(loop.get_executor());
    scope.spawn(keep(relay_tls(std::move(near.second), std::move(wire.first), TlsSide::client, *host, plugin->certificate), client));
    scope.spawn(keep(relay_tls(std::move(far.second), std::move(wire.second), TlsSide::server, *plugin, host->certificate), server));
    scope.spawn(talk(std::move(near.first), std::move(far.first), text, there, back));
    loop.run();
  }
  CHECK(there == text);
  CHECK(back == text);
  CHECK((client && client->has_value()));
  CHECK((server && server->has_value()));
}

TEST_CASE("P_12 tls: a client with another certificate is refused, and so is a server") {
  std::signal(SIGPIPE, SIG_IGN);
  const auto host = make_identity(), plugin = make_identity(), stranger = make_identity();
  REQUIRE((host && plugin && stranger));
  for (const bool wrong_client : {true, false}) {
    CAPTURE(wrong_client);
    asio::io_context loop;
    Pair near, wire, far;
    std::optional<Result<>> client, server;
    {
      Scope scope(loop.get_executor());
      scope.spawn(keep(relay_tls(std::move(near.second), std::move(wire.first), TlsSide::client, wrong_client ? *stranger : *host, plugin->certificate), client));
      scope.spawn(keep(relay_tls(std::move(far.second), std::move(wire.second), TlsSide::server, wrong_client ? *plugin : *stranger, host->certificate), server));
      loop.run();
    }
    REQUIRE(client);
    REQUIRE(server);
    CHECK_FALSE((wrong_client ? server : client)->has_value());
    CHECK((wrong_client ? server : client)->error().code() == Code::permission_denied);
  }
}

TEST_CASE("P_11 socket: who listens at a plugin's socket is the plugin, or one that it started") {
  const auto directory = TempDir::make();
  REQUIRE(directory);
  const std::string path = directory->path() + "/socket";
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 8) == 0);
  CHECK(check_peer(path, ::getpid()).has_value());
  CHECK(check_peer(path, ::getppid()).has_value());  // our parent started us
  const auto stranger = spawn_process({.executable = "/bin/sleep", .arguments = {"60"}, .environment = {}});
  REQUIRE(stranger);
  CHECK(check_peer(path, stranger->pid()).error().code() == Code::permission_denied);
  CHECK(stranger->signal(9).has_value());
  CHECK_FALSE(check_peer(directory->path() + "/none", ::getpid()).has_value());
}
