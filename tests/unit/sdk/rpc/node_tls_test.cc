// RPC between agents over TLS, with certificates that openssl(1) makes.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>

#include "sdk/async/process.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/rpc/node_rpc.h"

using namespace drover;
using namespace std::chrono_literals;

namespace {

// A directory with two CAs and what they signed; made once.
struct Files {
  TempDir made = std::move(*TempDir::make());
  const std::string& directory = made.path();
  Files() {
    for (const char* ca : {"ca", "other-ca"}) {
      run(fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={0} -keyout {0}-key.pem -out {0}.pem", ca));
    }
    sign("server", "ca", "DNS:server.global.nomad,DNS:localhost");
    sign("client", "ca", "DNS:client.global.nomad");
    sign("elsewhere", "ca", "DNS:server.europe.nomad");
    sign("stranger", "other-ca", "DNS:server.global.nomad");
  }
  void run(const std::string& command) const { REQUIRE(std::system(fmt::format("cd {} && {} >>openssl.log 2>&1", directory, command).c_str()) == 0); }
  void sign(const std::string& name, const std::string& ca, const std::string& names) const {
    run(fmt::format("printf 'subjectAltName={1}\n' >{0}.ext && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={0} -keyout {0}-key.pem -out {0}.csr && "
                    "openssl x509 -req -days 2 -in {0}.csr -CA {2}.pem -CAkey {2}-key.pem -CAcreateserial -extfile {0}.ext -out {0}.pem", name, names, ca));
  }
  NodeTlsOptions of(const std::string& name, const std::string& ca = "ca", bool verify = true) const {
    return {.enabled = true, .ca_file = path(ca + ".pem"), .certificate_file = path(name + ".pem"), .key_file = path(name + "-key.pem"), .min_version = "",
            .region = "global", .verify_server_hostname = verify, .upgrade_mode = false};
  }
  std::string path(const std::string& name) const { return directory + "/" + name; }
};

const Files& files() {
  static const Files out;
  return out;
}

std::shared_ptr<NodeTls> load(NodeTlsOptions options) {
  auto out = NodeTls::load(std::move(options));
  REQUIRE_MESSAGE(out, out.error().message());
  return *out;
}

Async<Result<std::string>> upper(CallInfo, std::string payload) {
  for (char& c : payload) c = static_cast<char>(std::toupper(c));
  co_return payload;
}
Async<Result<>> echo(CallInfo, NodeStream& stream) {
  for (;;) {
    auto message = co_await stream.receive();
    if (!message) co_return Result<>{};
    const bool sent = co_await stream.send(std::move(*message));
    if (!sent) co_return Result<>{};
  }
}

struct World {
  explicit World(NodeTlsOptions options) : server(io.get_executor()), scope(io.get_executor()), tls(load(std::move(options))) {
    server.handle("Job.Upper", upper);
    server.handle("Raft.Upper", upper);
    server.handle_stream("Raft.Echo", echo);
    server.set_servers_only({"Raft."});
    REQUIRE(server.listen_tls("127.0.0.1:0", tls, Logger()));
  }
  std::unique_ptr<NodeRpcClient> client(std::shared_ptr<const NodeTls> as) {
    return NodeRpcClient::connect(io.get_executor(), fmt::format("127.0.0.1:{}", server.port()), std::move(as));
  }
  // What a call gives, or the text of its error.
  Async<> ask(NodeRpcClient& to, std::string method, std::string& said) {
    auto answer = co_await to.call(std::move(method), "abc", 20s);
    said = answer ? *answer : answer.error().message();
  }
  Async<> ask_and_end(NodeRpcClient& to, std::string method, std::string& said) {
    co_await ask(to, std::move(method), said);
    done = true;
  }
  std::string ask(NodeRpcClient& to, const std::string& method) {
    std::string said;
    done = false;
    scope.spawn(ask_and_end(to, method, said));
    io.restart();
    while (!done) io.run_one();
    return said;
  }
  std::string ask(const NodeTlsOptions& as, const std::string& method = "Job.Upper") {
    const auto one = client(load(as));
    return ask(*one, method);
  }
  void stop() {
    done = false;
    scope.spawn(end());
    io.restart();
    while (!done) io.run_one();
  }
  Async<> end() {
    co_await server.stop();
    done = true;
  }
  asio::io_context io;
  NodeRpcServer server;
  Scope scope;
  std::shared_ptr<NodeTls> tls;
  bool done = false;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Async<> use_stream(NodeRpcClient& client, bool& done) {
  auto stream = co_await client.open("Raft.Echo", "first");
  REQUIRE(stream);
  auto message = co_await (*stream)->receive();
  CHECK(message == "first");
  const std::string big(5 << 20, 'x');
  const bool sent = co_await (*stream)->send(big);
  CHECK(sent);
  message = co_await (*stream)->receive();
  CHECK(message == big);
  done = true;
}

// A connection that says nothing.
Fd silent(int port) {
  Fd out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(out.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  return out;
}
Async<> until_readable(int fd, bool& done) {
  const auto ready = co_await wait_readable(fd);
  CHECK(ready);
  done = true;
}

}  // namespace

TEST_CASE("N_091_beginnings: of one address only so many connections may keep silent, and it is served when they are gone") {
  World w(files().of("server"));
  std::vector<Fd> all;
  for (int i = 0; i < 100; ++i) all.push_back(silent(w.server.port()));
  const Fd beyond = silent(w.server.port());
  w.done = false;
  w.scope.spawn(until_readable(beyond.get(), w.done));
  while (!w.done) w.io.run_one();
  char byte = 0;
  CHECK(::recv(beyond.get(), &byte, 1, MSG_DONTWAIT) == 0);  // closed at once
  CHECK(::recv(all.front().get(), &byte, 1, MSG_DONTWAIT) == -1);
  all.clear();
  CHECK(w.ask(files().of("client")) == "ABC");
  w.stop();
}

TEST_CASE("A-11: RPC over TLS: servers and clients of one CA speak to each other") {
  World w(files().of("server"));
  CHECK(w.ask(files().of("server"), "Raft.Upper") == "ABC");
  CHECK(w.ask(files().of("client")) == "ABC");
  const auto client = w.client(load(files().of("server")));
  w.done = false;
  w.scope.spawn(use_stream(*client, w.done));
  while (!w.done) w.io.run_one();
  w.stop();
}

TEST_CASE("N_079_roles: what servers ask each other is refused to others") {
  {
    World w(files().of("server"));
    CHECK(has(w.ask(files().of("client"), "Raft.Upper"), "\"Raft.Upper\" is for servers"));
    CHECK(has(w.ask(files().of("elsewhere"), "Raft.Upper"), "is for servers"));
    w.stop();
  }
  World w(files().of("server", "ca", false));
  CHECK(w.ask(files().of("client", "ca", false), "Raft.Upper") == "ABC");
  w.stop();
}

TEST_CASE("A-11: RPC over TLS: who has no certificate of the CA is refused, and a server that is none is not spoken to") {
  World w(files().of("server"));
  CHECK(has(w.ask(files().of("stranger", "ca")), "ended the TLS connection"));
  CHECK(has(w.ask(files().of("stranger", "other-ca")), "the TLS handshake with 127.0.0.1"));
  const auto plain = w.client(nullptr);
  CHECK(!has(w.ask(*plain, "Job.Upper"), "ABC"));
  w.stop();
  World impostor(files().of("client"));
  CHECK(has(impostor.ask(files().of("server")), "is not for \"server.global.nomad\""));
  CHECK(impostor.ask(files().of("server", "ca", false)) == "ABC");
  impostor.stop();
}

TEST_CASE("A-11: RPC over TLS: while others are told of it, they may come without") {
  auto options = files().of("server");
  options.upgrade_mode = true;
  World w(options);
  const auto plain = w.client(nullptr);
  CHECK(w.ask(*plain, "Raft.Upper") == "ABC");
  CHECK(w.ask(files().of("client")) == "ABC");
  w.stop();
  // And they may not speak it yet.
  World old(files().of("server"));
  REQUIRE(old.tls->reload({}));
  CHECK(old.ask(options) == "ABC");
  old.stop();
}

TEST_CASE("A-12: RPC over TLS: files are read again, and one that cannot be used changes nothing") {
  World w(files().of("server"));
  const auto as = load(files().of("server"));
  const auto client = w.client(as);
  CHECK(w.ask(*client, "Job.Upper") == "ABC");
  REQUIRE(write_file(files().path("broken.pem"), "no certificate\n"));
  auto broken = files().of("broken");
  broken.key_file = files().path("server-key.pem");
  const auto refused = w.tls->reload(broken);
  REQUIRE(!refused);
  CHECK(has(refused.error().message(), "reading the certificate of tls.cert_file"));
  CHECK(has(refused.error().message(), "broken.pem"));
  auto mismatch = files().of("client");
  mismatch.key_file = files().path("server-key.pem");
  CHECK(!w.tls->reload(mismatch));
  CHECK(w.ask(files().of("client")) == "ABC");
  // Another CA: who was connected goes on, who comes now is measured by it.
  REQUIRE(w.tls->reload(files().of("stranger", "other-ca")));
  CHECK(w.ask(*client, "Job.Upper") == "ABC");
  CHECK(!has(w.ask(files().of("client")), "ABC"));
  CHECK(w.ask(files().of("stranger", "other-ca")) == "ABC");
  // Turned off on both sides, the same client goes on without.
  REQUIRE(w.tls->reload({}));
  REQUIRE(as->reload({}));
  CHECK(w.ask(*client, "Job.Upper") == "ABC");
  w.stop();
}

TEST_CASE("A-11: RPC over TLS: what is missing in the configuration is named") {
  NodeTlsOptions options{.enabled = true, .ca_file = {}, .certificate_file = {}, .key_file = {}, .min_version = {}, .region = "global"};
  CHECK(has(NodeTls::load(options).error().message(), "tls.ca_file is not"));
  options = files().of("server");
  options.key_file.clear();
  CHECK(has(NodeTls::load(options).error().message(), "tls.key_file is not"));
  options = files().of("server");
  options.ca_file = "/nowhere/ca.pem";
  CHECK(has(NodeTls::load(options).error().message(), "reading the CA of tls.ca_file \"/nowhere/ca.pem\": "));
  options = files().of("server");
  options.min_version = "tls10";
  CHECK(has(NodeTls::load(options).error().message(), "RPC speaks tls12 and tls13"));
}
