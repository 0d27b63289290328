#include "plugins/executor/child.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstring>

namespace drover::executor {

Report failure_report(Stage stage, const Failure& failure) {
  Report out{Report::Kind::failure, stage, failure.error, 0, {}};
  for (std::size_t i = 0; i + 1 < sizeof out.detail && failure.detail[i] != '\0'; ++i) out.detail[i] = failure.detail[i];
  return out;
}

void send_report(int fd, const Report& report, int descriptor) {
  Report copy = report;
  iovec part{&copy, sizeof copy};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  while (::sendmsg(fd, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {}
}

Arrival receive_report(int fd, Report& report, Handle& descriptor) {
  iovec part{&report, sizeof report};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  // A child that failed before it read our word leaves that behind; its report is in the channel all the same.
  if (size < 0 && errno == ECONNRESET) size = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return Arrival::nothing_now;
  if (size != static_cast<ssize_t>(sizeof report)) return Arrival::end;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int passed = -1;
    std::memcpy(&passed, CMSG_DATA(header), sizeof passed);
    descriptor = Handle(passed);
  }
  report.detail[sizeof report.detail - 1] = '\0';
  return Arrival::report;
}

}  // namespace drover::executor
