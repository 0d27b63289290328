// Items 1 to 20: the start of the process and the handshake line.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "sdk/base/text.h"
#include "sdk/conformance/bench.h"
#include "sdk/conformance/tls_probe.h"
#include "sdk/plugin/handshake.h"

namespace drover::conformance {
namespace {
using namespace std::chrono_literals;

bool looks_like_handshake(const Run& run) {
  const auto fields = run.fields();
  return fields.size() >= 4 && (fields[2] == "unix" || fields[2] == "tcp");
}

// Starts the program with a cookie of this text, or none, and sees that it declines.
Async<RunPtr> declines(Bench& bench, Check& check, const char* cookie) {
  const std::string what = cookie == nullptr ? "without the cookie" : "with a wrong cookie";
  const auto run = bench.spawn([cookie](Start& start) {
    if (cookie == nullptr) start.without.push_back(plugin::cookie_key);
    else start.changed[plugin::cookie_key] = cookie;
  });
  if (!run) {
    check.expect(false, "the program starts", run.error().message());
    co_return nullptr;
  }
  const bool over = co_await (*run)->ended_within(5s);
  co_return over ? *run : (check.expect(false, fmt::format("{} the program ends within 5 s", what), "it is still running"), nullptr);
}

Async<> declined(Bench& bench, Check& check, const char* cookie) {
  const RunPtr run = co_await declines(bench, check, cookie);
  if (!run) co_return;
  check.expect(run->exit_status().code != 0 || run->exit_status().signal != 0, "an exit status other than 0", run->end_text());
  check.expect(!looks_like_handshake(*run), "no handshake line on stdout", quote(run->first_output()));
}
Async<> item_1(Bench& bench, Check& check) { return declined(bench, check, nullptr); }
Async<> item_2(Bench& bench, Check& check) { return declined(bench, check, "0123456789abcdef"); }

Async<> item_3(Bench& bench, Check& check) {
  for (const char* cookie : {static_cast<const char*>(nullptr), "0123456789abcdef"}) {
    const RunPtr run = co_await declines(bench, check, cookie);
    if (run) check.expect(!trim(*run->stderr_text()).empty(), "some words on stderr for whoever starts the program by hand", "nothing on stderr");
  }
}

Async<> item_4(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (run) check.should(run->handshake_time() <= 5s, "the handshake line within 5 s", fmt::format("after {}", format_duration(run->handshake_time())));
}

Async<> item_5(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  const std::string line = run->first_output();
  check.expect(line.ends_with('\n') && run->fields().size() >= 5, "at least 5 fields separated by | and a newline", quote(line));
}

Async<> item_6(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  const auto fields = run->fields();
  check.expect(fields[0] == "1", "1 in field 1, the core protocol's version", quote(fields[0]));
  check.expect(fields[1] == "2", "2 in field 2, the app protocol's version", quote(fields[1]));
  check.expect(fields.size() > 4 && fields[4] == "grpc", "grpc in field 5", fields.size() > 4 ? quote(fields[4]) : "no field 5");
}

// connect(2) and nothing else.
Result<> try_connect(const std::string& path) {
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(Code::invalid_argument, "the path has {} bytes, more than a socket's may have", path.size());
  path.copy(address.sun_path, path.size());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return fail_errno("connecting to \"{}\"", path);
  return {};
}

Async<> item_7(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  const auto fields = run->fields();
  if (fields[2] == "unix") {
    const auto connected = try_connect(fields[3]);
    check.expect(connected.has_value(), "a socket that accepts connections when the line has been printed", connected ? "" : connected.error().message());
  }
  const auto info = co_await run->call<base::PluginInfoResponse>(base_service + "PluginInfo", base::PluginInfoRequest(), 10s);
  check.expect(info.has_value(), "an answer to PluginInfo at the address of the handshake", info ? "" : info.error().message());
}

Async<> item_8(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  const auto fields = run->fields();
  check.expect(fields.size() == 6, "6 fields", fmt::format("{}: {}", fields.size(), quote(run->first_output())));
  check.expect(fields.size() < 6 || fields[5].empty(), "an empty field 6, since no certificate was asked for", fields.size() < 6 ? "" : quote(fields[5]));
}

Async<> item_9(Bench& bench, Check& check) {
  const RunPtr several = co_await bench.fresh(check, [](Start& start) { start.changed["PLUGIN_PROTOCOL_VERSIONS"] = "1,2,3"; });
  if (several) check.expect(several->fields()[1] == "2", "app version 2 out of PLUGIN_PROTOCOL_VERSIONS=1,2,3", quote(several->fields()[1]));
  [[maybe_unused]] const RunPtr none = co_await bench.fresh(check, [](Start& start) { start.without.push_back("PLUGIN_PROTOCOL_VERSIONS"); });
}

Async<> item_10(Bench& bench, Check& check) {
  const auto run = bench.spawn([](Start& start) { start.changed["PLUGIN_PROTOCOL_VERSIONS"] = "99"; });
  if (!run) co_return;
  const bool shaken = co_await (*run)->handshake(15s);
  if (shaken) {
    const auto fields = (*run)->fields();
    check.expect(fields.size() > 1 && fields[1] == "2", "a line with app version 2, or an error", quote((*run)->first_output()));
    co_return;
  }
  check.expect(!(*run)->alive() && (*run)->exit_status().code != 0, "a handshake line, or an exit status other than 0", (*run)->end_text());
}

Async<> item_11(Bench& bench, Check& check) {
  const std::string temporary = bench.new_directory("t");
  DROVER_CHECK(make_directories(temporary, 0700).has_value());
  std::string wanted;
  const RunPtr run = co_await bench.fresh(check, [&](Start& start) {
    start.changed["TMPDIR"] = temporary;
    wanted = start.directory;
  });
  if (!run) co_return;
  const auto fields = run->fields();
  if (fields[2] != "unix") {
    check.note("the plugin listens on TCP");
    co_return;
  }
  const bool in_wanted = fields[3].starts_with(wanted + "/");
  check.expect(in_wanted || fields[3].starts_with(temporary + "/"), "a socket in PLUGIN_UNIX_SOCKET_DIR or in TMPDIR", fields[3]);
  if (!in_wanted) check.should(false, "a socket in PLUGIN_UNIX_SOCKET_DIR", "one in TMPDIR: the variable is not known to it");
}

Async<> item_12(Bench& bench, Check& check) {
  const gid_t group = ::geteuid() == 0 ? 1 : ::getegid();
  const RunPtr run = co_await bench.fresh(check, [group](Start& start) { start.changed["PLUGIN_UNIX_SOCKET_GROUP"] = std::to_string(group); });
  if (!run || run->fields()[2] != "unix") co_return;
  struct stat info {};
  if (!check.expect(::stat(run->fields()[3].c_str(), &info) == 0, "a socket at the address", "none")) co_return;
  check.expect(info.st_gid == group && (info.st_mode & 0777) == 0660, fmt::format("a socket of group {} with mode 0660", group),
               fmt::format("group {}, mode {:04o}", info.st_gid, info.st_mode & 0777));
}

Async<> item_13(Bench& bench, Check& check) {
  const std::string deep = bench.new_directory("long") + "/" + std::string(120, 'x');
  DROVER_CHECK(make_directories(deep, 0700).has_value());
  const auto run = bench.spawn([&](Start& start) {
    start.changed["TMPDIR"] = deep;
    start.changed["PLUGIN_UNIX_SOCKET_DIR"] = deep;
  });
  if (!run) co_return;
  const bool shaken = co_await (*run)->handshake(10s);
  check.expect(shaken || !(*run)->alive(), "an end or a handshake within 10 s", "neither");
  if (!shaken) check.expect(!trim(*(*run)->stderr_text()).empty(), "a diagnosis on stderr", (*run)->epitaph());
}

Async<> item_14(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check, [](Start& start) { start.changed["PLUGIN_MULTIPLEX_GRPC"] = "true"; });
  if (!run) co_return;
  const auto fields = run->fields();
  check.expect(fields.size() >= 5 && fields[0] == "1" && fields[1] == "2" && fields[4] == "grpc", "a valid handshake line", quote(run->first_output()));
  if (fields.size() > 6) check.note("field 7 says " + quote(fields[6]));
}

Async<> item_15(Bench& bench, Check& check) {
  auto identity = make_identity();
  auto stranger = make_identity();
  if (!identity || !stranger) co_return check.skip("no certificate could be made: " + (identity ? stranger : identity).error().message());
  const auto run = bench.spawn([&](Start& start) { start.changed["PLUGIN_CLIENT_CERT"] = identity->certificate_pem; });
  if (!run) co_return;
  const bool shaken = co_await (*run)->handshake(60s);
  if (!check.expect(shaken, "a handshake line although TLS is asked for", (*run)->epitaph())) co_return;
  const auto fields = (*run)->fields();
  if (!check.expect(fields.size() > 5 && fields[5].size() > 50, "the plugin's certificate in field 6", fields.size() > 5 ? quote(fields[5]) : "no field 6")) co_return;
  if (fields[2] != "unix") co_return check.skip("the plugin listens on TCP");
  for (const bool newer : {false, true}) {
    const auto spoken = co_await speak_tls(fields[3], *identity, fields[5], newer);
    check.expect(spoken.has_value(), fmt::format("an HTTP/2 server behind TLS 1.{} with the certificate of field 6, valid for localhost", newer ? 3 : 2), spoken ? "" : spoken.error().message());
    const auto refused = co_await speak_tls(fields[3], *stranger, fields[5], newer);
    check.expect(!refused, fmt::format("a client with another certificate is refused (TLS 1.{})", newer ? 3 : 2), "it is served");
  }
}

Async<> item_16(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);  // its stdin is /dev/null
  if (!run) co_return;
  const bool over = co_await run->ended_within(1s);
  check.expect(!over, "the plugin goes on although its stdin is at its end", run->epitaph());
}

Async<> item_17(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check, [](Start& start) { start.environment = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}}; });
  if (!run) co_return;
  const auto info = co_await run->call<base::PluginInfoResponse>(base_service + "PluginInfo", base::PluginInfoRequest(), 10s);
  check.expect(info.has_value(), "an answer to PluginInfo with PATH alone in the environment", info ? "" : info.error().message());
}

Async<> item_18(Bench& bench, Check& check) {
  const RunPtr one = co_await bench.fresh(check);
  const RunPtr two = one ? co_await bench.fresh(check) : nullptr;
  if (!two) co_return;
  for (const RunPtr& run : {one, two}) {
    const auto info = co_await run->call<base::PluginInfoResponse>(base_service + "PluginInfo", base::PluginInfoRequest(), 10s);
    check.expect(info.has_value(), "answers from both copies", info ? "" : info.error().message());
  }
  [[maybe_unused]] const bool over = co_await one->shut_down(2s);
  const auto info = co_await two->call<base::PluginInfoResponse>(base_service + "PluginInfo", base::PluginInfoRequest(), 10s);
  check.expect(info.has_value(), "an answer from the second copy after the first was stopped", info ? "" : info.error().message() + "; the process: " + two->epitaph());
}

Async<> item_19(Bench& bench, Check& check) {
  const RunPtr run = co_await bench.fresh(check);
  if (!run) co_return;
  const bool over = co_await run->shut_down(2s);
  check.expect(over && run->exit_status() == ExitStatus{}, "exit status 0 within 2 s", over ? run->epitaph() : "it was still running and was killed");
}

Async<> item_20(Bench& bench, Check& check) {
  const auto run = bench.spawn([](Start& start) { start.arguments.emplace_back("conformance"); });
  if (!run) co_return;
  const bool shaken = co_await (*run)->handshake(60s);
  if (shaken && (*run)->target()) co_return;
  // Refusing a word is as good as taking it, if the program says what it takes.
  const bool told = !trim(*(*run)->stderr_text()).empty() || !trim((*run)->first_output()).empty();
  check.expect(told && !(*run)->alive(), "a handshake, or words about the arguments it takes", (*run)->epitaph());
}
}  // namespace

std::vector<ItemCheck> launch_checks() {
  return {{1, item_1},   {2, item_2},   {3, item_3},   {4, item_4},   {5, item_5},   {6, item_6},   {7, item_7},
          {8, item_8},   {9, item_9},   {10, item_10}, {11, item_11}, {12, item_12}, {13, item_13}, {14, item_14},
          {15, item_15}, {16, item_16}, {17, item_17}, {18, item_18}, {19, item_19}, {20, item_20}};
}

}  // namespace drover::conformance
