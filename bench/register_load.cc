// register-load ADDRESS PORT CONNECTIONS JOBS: registers that many jobs of 3 KB with count 0 over HTTP, a closed loop on each
// connection, and prints how many were answered a second. One thread, plain sockets: what is measured is the agent.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "sdk/base/fd.h"

namespace {

std::string request(int number) {
  std::string meta, env;
  for (int i = 0; i < 12; ++i) {
    meta += fmt::format(R"({}"team_meta_key_{:02}":"value-{:02}-of-job-{:05}-abcdefghij")", i == 0 ? "" : ",", i, i, number);
    env += fmt::format(R"(,"APPLICATION_SETTING_{:02}":"https://service-{:02}.example.org/path/{:05}?mode=full")", i, i, number);
    env += fmt::format(R"(,"FEATURE_FLAG_{:02}":"enabled-for-all-users")", i);
  }
  const std::string body = fmt::format(
      R"({{"Job":{{"ID":"job-{0:05}","Name":"job-{0:05}","Type":"service","Datacenters":["dc1"],"Meta":{{{1}}},"Update":{{"MaxParallel":0}},)"
      R"("TaskGroups":[{{"Name":"g","Count":0,"EphemeralDisk":{{"SizeMB":10}},"ReschedulePolicy":{{"Attempts":0,"Unlimited":false}},)"
      R"("RestartPolicy":{{"Attempts":0,"Mode":"fail","Interval":86400000000000,"Delay":15000000000}},)"
      R"("Tasks":[{{"Name":"t","Driver":"raw_exec","Config":{{"command":"/bin/true"}},"Env":{{"OUT":"/tmp/out"{2}}},)"
      R"("Resources":{{"CPU":10,"MemoryMB":10}},"LogConfig":{{"MaxFiles":1,"MaxFileSizeMB":1}}}}]}}]}}}})",
      number, meta, env);
  return fmt::format("PUT /v1/jobs HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

[[noreturn]] void stop(const std::string& why) {
  fmt::print(stderr, "register-load: {}\n", why);
  std::exit(1);
}

drover::Fd connect_to(const char* address, int port) {
  drover::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{.sin_family = AF_INET, .sin_port = htons(static_cast<std::uint16_t>(port)), .sin_addr = {}, .sin_zero = {}};
  if (::inet_pton(AF_INET, address, &to.sin_addr) != 1) stop(fmt::format("{} is no IPv4 address", address));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) stop(fmt::format("cannot connect to {}:{}", address, port));
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// The answers are small and carry a length.
bool complete(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  if (!answer.starts_with("HTTP/1.1 200")) stop(answer);
  const auto at = answer.find("Content-Length: ");
  if (at == std::string::npos || at > end) stop("an answer without a length: " + answer);
  return answer.size() >= end + 4 + std::strtoul(answer.c_str() + at + 16, nullptr, 10);
}

struct Connection {
  drover::Fd fd;
  std::string answer;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) stop("register-load ADDRESS PORT CONNECTIONS JOBS");
  const int wanted = std::atoi(argv[3]);
  const int jobs = std::atoi(argv[4]);
  std::vector<std::string> requests;
  for (int i = 0; i < jobs; ++i) requests.push_back(request(i));
  const drover::Fd poll(::epoll_create1(EPOLL_CLOEXEC));
  std::vector<Connection> connections(static_cast<std::size_t>(wanted));
  int sent = 0;
  int answered = 0;
  const auto send_next = [&](Connection& connection) {
    if (sent == jobs) return;
    const std::string& text = requests[static_cast<std::size_t>(sent++)];
    if (::write(connection.fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) stop("a request was not taken whole");
  };
  const auto began = std::chrono::steady_clock::now();
  for (auto& connection : connections) {
    connection.fd = connect_to(argv[1], std::atoi(argv[2]));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
    ::epoll_ctl(poll.get(), EPOLL_CTL_ADD, connection.fd.get(), &event);
    send_next(connection);
  }
  while (answered < jobs) {
    epoll_event events[64];
    const int count = ::epoll_wait(poll.get(), events, 64, -1);
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<Connection*>(events[i].data.ptr);
      char buffer[4096];
      const auto got = ::read(connection.fd.get(), buffer, sizeof buffer);
      if (got <= 0) stop("the agent closed a connection");
      connection.answer.append(buffer, static_cast<std::size_t>(got));
      if (!complete(connection.answer)) continue;
      connection.answer.clear();
      ++answered;
      send_next(connection);
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  fmt::print("{:.0f}\n", jobs / seconds);
}
