#include "sdk/executor/exec_session.h"

#include <sys/ioctl.h>
#include <termios.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

namespace drover {
namespace {

using executor::Tag;
using executor::Type;
using Stream = asio::posix::stream_descriptor;
using namespace std::chrono_literals;

constexpr std::size_t buffer_bytes = 16384;
constexpr std::size_t buffered_limit = 4u << 20;

struct Ended {
  std::int32_t code = 0;
  std::int32_t signal = 0;
};

// One running session. The coroutines around it hold it by shared_ptr.
struct Session {
  explicit Session(const Executor& loop) : finished(loop), streams_done(loop) {}
  Fd connection;
  std::unique_ptr<Stream> input, output, errors;  // a terminal is both input and output
  bool terminal = false;
  Event finished;      // `end` or `error` is set
  Event streams_done;  // no output will follow
  int open_streams = 0;
  Ended end;
  std::optional<Error> error;
};

std::unique_ptr<Stream> make_stream(const Executor& loop, Fd fd) { return std::make_unique<Stream>(loop, fd.release()); }

// In the words users of the reference know.
Error start_failure(const ExecutorStatus& status) {
  if (status.stage != executor::Stage::exec) return errno_error(status.error, fmt::format("{}: \"{}\"", stage_text(status.stage), status.detail));
  if (status.error == ENOENT && status.detail.find('/') == std::string::npos) {
    return Error(Code::not_found, fmt::format("failed to start command: exec: \"{}\": executable file not found in $PATH", status.detail));
  }
  return errno_error(status.error, fmt::format("failed to start command: fork/exec {}", status.detail));
}

// Starts the command; the session's streams are ready when it returns.
Async<Result<std::shared_ptr<Session>>> begin(std::shared_ptr<ExecutorTask> task, ExecSpec spec) {
  const Executor loop = co_await asio::this_coro::executor;
  auto session = std::make_shared<Session>(loop);
  session->terminal = spec.terminal;
  auto memory = encode_exec(spec);
  if (!memory) co_return fail(std::move(memory).error());
  auto connection = co_await task->connect_session();
  if (!connection) co_return fail(connection.error(), "starting an exec session");
  session->connection = std::move(*connection);
  std::string request(sizeof(executor::Header), '\0');
  executor::write_header(request.data(), Type::exec, request.size());
  if (spec.terminal) {
    DROVER_CO_TRY(send_to_executor(session->connection.get(), request, {memory->get()}));
  } else {
    auto in = make_pipe();
    auto out = make_pipe();
    auto err = make_pipe();
    if (!in || !out || !err) co_return fail(Code::resource_exhausted, "making pipes for an exec session");
    DROVER_CO_TRY(send_to_executor(session->connection.get(), request,
                                   {memory->get(), in->read_end.get(), out->write_end.get(), err->write_end.get()}));
    session->input = make_stream(loop, std::move(in->write_end));
    session->output = make_stream(loop, std::move(out->read_end));
    session->errors = make_stream(loop, std::move(err->read_end));
  }
  // States of the task may come in between; they say nothing about the session.
  for (;;) {
    auto answer = co_await receive_from_executor(session->connection.get());
    if (!answer) co_return fail(answer.error(), "starting an exec session");
    const Type type = executor::message_type(answer->bytes.data(), answer->bytes.size());
    if (type == Type::failed) {
      const auto status = parse_status(answer->bytes);
      if (!status) co_return fail(Code::internal, "starting an exec session: unreadable answer of the executor");
      co_return fail(start_failure(*status));
    }
    if (type != Type::exec_started) continue;
    if (spec.terminal) {
      if (answer->descriptors.empty()) co_return fail(Code::internal, "starting an exec session: no terminal came");
      auto copy = answer->descriptors[0].duplicate();
      if (!copy) co_return fail(copy.error());
      session->input = make_stream(loop, std::move(*copy));
      session->output = make_stream(loop, std::move(answer->descriptors[0]));
    }
    co_return session;
  }
}

// Waits for the end of the command.
Async<> await_end(std::shared_ptr<Session> session) {
  for (;;) {
    const auto message = co_await receive_from_executor(session->connection.get());
    if (!message) {
      session->error = message.error();
      break;
    }
    if (executor::message_type(message->bytes.data(), message->bytes.size()) != Type::exec_exited) continue;
    auto reader = executor::FieldReader::message(message->bytes.data(), message->bytes.size(), Type::exec_exited);
    executor::Field field;
    while (reader.next(field)) {
      if (field.tag == Tag::exit_code) session->end.code = static_cast<std::int32_t>(field.number());
      if (field.tag == Tag::exit_signal) session->end.signal = static_cast<std::int32_t>(field.number());
    }
    break;
  }
  session->finished.set();
}

void stream_closed(Session& session) {
  if (--session.open_streams == 0) session.streams_done.set();
}

// Into a string, for the buffered form; what is over the limit is read and dropped, so that the command is not blocked.
Async<> gather(std::shared_ptr<Session> session, Stream* stream, std::shared_ptr<std::string> into) {
  std::string buffer(buffer_bytes, '\0');
  for (;;) {
    const auto [error, size] = co_await stream->async_read_some(asio::buffer(buffer), no_throw);
    if (error) break;
    into->append(buffer, 0, std::min(size, buffered_limit - std::min(buffered_limit, into->size())));
  }
  stream_closed(*session);
  co_await throw_if_cancelled();
}

Async<> forward(std::shared_ptr<Session> session, Stream* stream, bool is_errors, Channel<driver::ExecOutput>& output) {
  std::string buffer(buffer_bytes, '\0');
  for (;;) {
    const auto [error, size] = co_await stream->async_read_some(asio::buffer(buffer), no_throw);
    if (error) break;  // the terminal says EIO, a pipe says end of file
    driver::ExecOutput message;
    (is_errors ? message.stderr_data : message.stdout_data).assign(buffer, 0, size);
    const bool sent = co_await output.send(std::move(message));
    if (!sent) break;
  }
  co_await throw_if_cancelled();
  stream_closed(*session);
}

void resize(Session& session, const driver::TerminalSize& size) {
  if (!session.terminal || !session.output) return;
  const winsize wanted{static_cast<unsigned short>(size.height), static_cast<unsigned short>(size.width), 0, 0};
  ::ioctl(session.output->native_handle(), TIOCSWINSZ, &wanted);
}

Async<> feed(std::shared_ptr<Session> session, Channel<driver::ExecInput>& input) {
  for (;;) {
    const auto message = co_await input.receive();
    // of many sizes in a row the loop applies each at once; nothing queues up.
    if (message && message->resize) resize(*session, *message->resize);
    if (message && !message->stdin_data.empty() && session->input) {
      const auto [error, size] = co_await asio::async_write(*session->input, asio::buffer(message->stdin_data), no_throw);
      static_cast<void>(size);
      co_await throw_if_cancelled();
      if (error) session->input.reset();  // the command no longer reads
    }
    // The end of the request stream is the end of input, but for a terminal, whose user may only have gone quiet.
    if ((message && message->stdin_eof) || (!message && !session->terminal)) {
      if (session->terminal && session->input) {
        const char end_of_transmission = 4;
        const auto [error, size] = co_await asio::async_write(*session->input, asio::buffer(&end_of_transmission, 1), no_throw);
        static_cast<void>(error), static_cast<void>(size);
        co_await throw_if_cancelled();
      }
      session->input.reset();
    }
    if (!message) co_return;
  }
}

// Waits for the end of the command and then, for a short while, for what its children still write.
Async<> settle(Session& session) {
  co_await session.finished.wait();
  const bool done = co_await session.streams_done.wait_for(1s);
  static_cast<void>(done);
}

}  // namespace

Async<Result<driver::ExecResult>> run_exec(std::shared_ptr<ExecutorTask> task, ExecSpec spec, std::chrono::nanoseconds timeout) {
  auto begun = co_await begin(std::move(task), std::move(spec));
  if (!begun) co_return fail(begun.error());
  const auto session = std::move(*begun);
  session->input.reset();
  Scope scope(co_await asio::this_coro::executor);
  const auto out = std::make_shared<std::string>();
  const auto err = std::make_shared<std::string>();
  session->open_streams = 2;
  scope.spawn(gather(session, session->output.get(), out));
  scope.spawn(gather(session, session->errors.get(), err));
  scope.spawn(await_end(session));
  const bool in_time = co_await session->finished.wait_for(timeout);
  if (in_time) co_await settle(*session);
  co_await scope.close();
  // Closing the connection is what kills a session that is still running.
  if (!in_time) co_return fail(Code::deadline_exceeded, "exec timed out: the command did not end within its time limit");
  if (session->error) co_return fail(*session->error, "exec session");
  driver::ExecResult result;
  result.stdout_data = std::move(*out);
  result.stderr_data = std::move(*err);
  result.exit.exit_code = session->end.code;
  result.exit.signal = session->end.signal;
  co_return result;
}

Async<Result<>> stream_exec(std::shared_ptr<ExecutorTask> task, ExecSpec spec, Channel<driver::ExecInput>& input,
                            Channel<driver::ExecOutput>& output) {
  // A size that has arrived already is the terminal's first one, so that the command never sees another.
  std::optional<driver::ExecInput> first;
  if (spec.terminal && input.size() > 0) first = input.try_receive();
  if (first && first->resize) {
    spec.rows = static_cast<unsigned short>(first->resize->height);
    spec.columns = static_cast<unsigned short>(first->resize->width);
  }
  auto begun = co_await begin(std::move(task), std::move(spec));
  if (!begun) co_return fail(begun.error());
  const auto session = std::move(*begun);
  if (first && !first->stdin_data.empty()) {
    const auto [error, size] = co_await asio::async_write(*session->input, asio::buffer(first->stdin_data), no_throw);
    static_cast<void>(error), static_cast<void>(size);
  }
  Scope scope(co_await asio::this_coro::executor);
  session->open_streams = session->errors ? 2 : 1;
  scope.spawn(forward(session, session->output.get(), false, output));
  if (session->errors) scope.spawn(forward(session, session->errors.get(), true, output));
  scope.spawn(feed(session, input));
  scope.spawn(await_end(session));
  bool cancelled = false;
  try {
    co_await settle(*session);
  } catch (const boost::system::system_error&) {
    cancelled = true;
  }
  // The members use the caller's channels, so they are joined even when the caller has given up.
  if (cancelled) co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_await scope.close();
  if (cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  if (session->error) co_return fail(*session->error, "exec session");
  driver::ExecOutput last;
  last.stdout_eof = true;
  bool sent = co_await output.send(std::move(last));
  if (sent && !session->terminal) {
    driver::ExecOutput errors_end;
    errors_end.stderr_eof = true;
    sent = co_await output.send(std::move(errors_end));
  }
  if (sent) {
    driver::ExecOutput exit;
    exit.exit_code = session->end.code;
    sent = co_await output.send(std::move(exit));
  }
  output.close();
  co_return Result<>{};
}

}  // namespace drover
