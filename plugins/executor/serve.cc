// Answers on the control socket.
#include "plugins/executor/executor.h"

#include <csignal>

namespace drover::executor {

void Executor::accept_connection() {
  if (Handle fd = accept_trusted(listener_.get())) add_connection(std::move(fd));
}

void Executor::add_connection(Handle fd) {
  for (std::uint32_t i = 0; i < max_connections; ++i) {
    if (connections_[i].fd || connections_[i].has_session) continue;
    if (!watch(fd.get(), Source::connection, i)) return;
    connections_[i] = Connection{};
    connections_[i].fd = std::move(fd);
    if (launch_.pid != 0 || launch_.state == State::failed) send_status(connections_[i].fd.get());
    return;
  }
}

void Executor::drop_connection(Connection& connection) {
  connection.fd.reset();
  if (!connection.has_session) {
    leave_if_done();
    return;
  }
  // Nobody is left to hear of the session: it goes with its user's connection.
  Session& session = connection.session;
  if (session.pid > 1 && !session.ended) {
    ::kill(-session.pid, SIGKILL);
    ::kill(session.pid, SIGKILL);
  } else if (session.helper > 1) {
    ::kill(session.helper, SIGKILL);
  }
  settle_session(connection);
}

// A task that never ran and whose launcher is gone leaves nothing to ask for; of one whose end is in its record the record tells.
void Executor::leave_if_done() {
  if (is_machine_ending_ && (finished_ || launch_.state == State::failed)) reaped_ = true;
  for (const auto& connection : connections_) {
    if (connection.fd) return;
  }
  if (launch_.state == State::failed || is_end_stored_) reaped_ = true;
}

void Executor::on_connection(Connection& connection) {
  if (!connection.fd) return;
  Received message;
  switch (receive(connection.fd.get(), message)) {
    case Receive::message: handle_message(connection, message); break;
    case Receive::closed: drop_connection(connection); break;
    case Receive::nothing_now: break;
  }
}

void Executor::handle_message(Connection& connection, Received& message) {
  const Type type = message_type(message.bytes, message.size);
  auto reader = FieldReader::message(message.bytes, message.size, type);
  int number = 0;
  std::uint64_t grace_ms = 0;
  Field field;
  while (reader.next(field)) {
    if (field.tag == Tag::signal) number = static_cast<int>(field.number());
    if (field.tag == Tag::grace_ms) grace_ms = field.number();
  }
  if (reader.malformed() || number < 0 || number >= NSIG) return;
  switch (type) {
    case Type::signal:
      if (!task_ended_ && task_pidfd_) send_signal(task_pidfd_.get(), number);
      break;
    case Type::stop: stop(number, grace_ms); break;
    case Type::exec: start_session(connection, message); break;
    case Type::reap:
      // Only a task that has ended, or never ran, may be forgotten.
      if (finished_ || launch_.state == State::failed) reaped_ = true;
      break;
    default: break;
  }
}

void Executor::send_status(int fd) {
  FixedBuffer buffer;
  Type type = Type::status;
  put_launch(buffer, identity_, launch_);
  if (launch_.state == State::exited) put_exit(buffer, exit_);
  if (launch_.state == State::failed) {
    type = Type::failed;
    put_number(buffer, Tag::stage, static_cast<std::uint64_t>(failure_stage_));
    put_number(buffer, Tag::error, static_cast<std::uint64_t>(failure_error_));
    put_text(buffer, Tag::detail, failure_detail_);
  }
  // A client that does not read loses its connection, not its knowledge: on connecting again it is told the state.
  send_message(fd, buffer.finish(type));
}

void Executor::broadcast_status() {
  for (auto& connection : connections_) {
    if (connection.fd && !connection.has_session) send_status(connection.fd.get());
  }
}

}  // namespace drover::executor
