// Collects the output of tasks whose drivers write into FIFOs: one process a node, which outlives the agent.
//
//   drover-logd <socket>
//
// It gets descriptors, never paths: a FIFO open for reading and writing, so that neither writers nor it ever see the other side
// vanish, and the directory of the log files. One thread, nothing on disk but the logs: the agent hands everything over again to a
// new process, and holds the FIFOs meanwhile (F-20). It ends when it has neither streams nor anybody connected.
//
// A request is one packet: `collect <name> <max files> <max bytes>` with both descriptors, or `release` with the FIFO's alone.
// The answer is `ok`, or what is wrong.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "plugins/executor/log_stream.h"
#include "sdk/base/fd.h"
#include "sdk/base/process.h"

namespace {
using drover::Fd;
using drover::executor::Handle;
using drover::executor::LogStream;
using drover::executor::WindowBuffer;
constexpr std::size_t most_streams = 20'000;

struct Stream {
  Fd directory;
  dev_t device = 0;
  ino_t inode = 0;
  LogStream log;
};

class Collector {
 public:
  explicit Collector(Fd listener) : listener_(std::move(listener)) {}

  int run() {
    bool ever_used = false;
    for (;;) {
      if (ever_used && connections_.empty() && streams_.empty()) return 0;
      std::vector<pollfd> watched{{listener_.get(), POLLIN, 0}};
      for (const Fd& connection : connections_) watched.push_back({connection.get(), POLLIN, 0});
      for (const auto& stream : streams_) watched.push_back({stream->log.pipe_fd(), POLLIN, 0});
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;
      ever_used = true;
      // Streams first: what answers a request changes the list.
      std::size_t at = 1 + connections_.size();
      for (const auto& stream : streams_) {
        if (watched[at++].revents != 0) stream->log.pump(*window_);
      }
      at = 1;
      for (auto connection = connections_.begin(); connection != connections_.end();) {
        const bool gone = watched[at++].revents != 0 && !answer(connection->get());
        connection = gone ? connections_.erase(connection) : std::next(connection);
      }
      if (watched[0].revents == 0) continue;
      Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (connection) connections_.push_back(std::move(connection));
    }
  }

 private:
  // False: the other side has gone.
  bool answer(int connection) {
    char text[512];
    alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
    iovec io{text, sizeof text - 1};
    msghdr message{};
    message.msg_iov = &io;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = ::recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    if (size <= 0) return size < 0 && errno == EINTR;
    text[size] = '\0';
    std::vector<Fd> descriptors;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
      if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
      const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
        descriptors.emplace_back(fd);
      }
    }
    const std::string reply = handle(text, descriptors);
    return ::send(connection, reply.data(), reply.size(), MSG_NOSIGNAL) >= 0;
  }

  std::string handle(const char* request, std::vector<Fd>& descriptors) {
    char name[200];
    unsigned long long files = 0, bytes = 0;
    if (descriptors.empty()) return "no descriptor came with the request";
    struct stat info {};
    if (::fstat(descriptors[0].get(), &info) != 0 || !S_ISFIFO(info.st_mode)) return "the first descriptor is no FIFO";
    if (std::strcmp(request, "release") == 0) {
      release(info);
      return "ok";
    }
    if (std::sscanf(request, "collect %199s %llu %llu", name, &files, &bytes) != 3 || descriptors.size() != 2 || files == 0 || bytes == 0) {
      return "the request is malformed";
    }
    if (std::strchr(name, '/') != nullptr) return "the name of a log has a slash";
    for (const auto& stream : streams_) {
      if (stream->device == info.st_dev && stream->inode == info.st_ino) return "ok";
    }
    if (streams_.size() >= most_streams) return "there are too many streams";
    auto stream = std::make_unique<Stream>();
    stream->directory = std::move(descriptors[1]);
    stream->device = info.st_dev;
    stream->inode = info.st_ino;
    const auto failed = stream->log.open(stream->directory.get(), name, files, bytes, Handle(descriptors[0].release()), *window_);
    if (failed.error != 0) return std::string("opening the log file: ") + std::strerror(failed.error);
    streams_.push_back(std::move(stream));
    return "ok";
  }

  // What is in the FIFO goes to the file first.
  void release(const struct stat& info) {
    for (auto stream = streams_.begin(); stream != streams_.end(); ++stream) {
      if ((*stream)->device != info.st_dev || (*stream)->inode != info.st_ino) continue;
      do (*stream)->log.pump(*window_);
      while ((*stream)->log.moved_bytes() > 0);
      streams_.erase(stream);
      return;
    }
  }

  Fd listener_;
  std::list<Fd> connections_;
  std::list<std::unique_ptr<Stream>> streams_;
  std::unique_ptr<WindowBuffer> window_ = std::make_unique<WindowBuffer>();
};

int complain(const char* step, const char* path) {
  std::fprintf(stderr, "drover-logd: %s \"%s\": %s\n", step, path, std::strerror(errno));
  return 1;
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "This program collects logs for an agent, which starts it with the path of a socket.\n");
    return 1;
  }
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGINT, SIG_IGN);
  drover::raise_open_files();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(argv[1]) >= sizeof address.sun_path) {
    std::fprintf(stderr, "drover-logd: the socket's path is longer than %zu bytes: %s\n", sizeof address.sun_path - 1, argv[1]);
    return 1;
  }
  std::strcpy(address.sun_path, argv[1]);
  Fd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  ::unlink(argv[1]);
  ::umask(0077);
  if (!listener || ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return complain("binding", argv[1]);
  if (::listen(listener.get(), 16) != 0) return complain("listening on", argv[1]);
  ::umask(0022);
  return Collector(std::move(listener)).run();
}
