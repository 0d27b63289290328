// The whole state as a file, and back. Both go over a stream to the server that leads, part by part.
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "lib/model/codec.h"
#include "lib/wire/streams.h"
#include "sdk/base/encoding.h"
#include "server/api/answer.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

using http::Request;
using http::Response;
constexpr std::size_t part_bytes = 1u << 20;

Error no_streams() { return Error(Code::unimplemented, "this agent cannot reach the servers' snapshots"); }

// Why a stream gave no answer.
Error unanswered(const NodeStream& stream) {
  const auto end = stream.end();
  return end ? Error(Code::unavailable, "the server ended without an answer") : end.error();
}

Async<> copy_file(std::shared_ptr<NodeStream> stream, std::uint64_t bytes, http::ResponseStream& out) {
  for (std::uint64_t at = 0; at < bytes;) {
    const auto part = co_await stream->receive();
    // The reader knows a body without an end for cut.
    if (!part) throw boost::system::system_error(asio::error::operation_aborted);
    at += part->size();
    const bool open = co_await out.write(*part);
    if (!open) co_return;
  }
}

Async<Response> save(const Context& c, Request request) {
  model::SnapshotSaveRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  if (c.options.streams == nullptr) co_return error_answer(no_streams());
  auto opened = co_await c.options.streams->open(wire::streams::snapshot_save, std::move(query));
  if (!opened) co_return error_answer(opened.error());
  const std::shared_ptr<NodeStream> stream = std::move(*opened);
  const auto first = co_await stream->receive();
  if (!first) co_return error_answer(unanswered(*stream));
  model::SnapshotHead head;
  if (auto decoded = model::from_msgpack(*first, head); !decoded) co_return error_answer(decoded.error());
  Response out;
  out.compress = false;
  out.headers.add("Content-Type", "application/x-gzip");
  out.headers.add("Digest", "sha-256=" + base64_encode(head.sha256.data()));
  out.stream = [stream, bytes = head.bytes](http::ResponseStream& to) { return copy_file(stream, bytes, to); };
  co_return out;
}

// The body of a restore on its way to the server. What went wrong is said at the end.
class Upload final : public http::BodySink {
 public:
  Upload(const Context& c, const Request& head) : c_(c) { error_ = read_write(c, head, opening_); }

  Async<> take(std::string part) override {
    pending_ += part;
    if (pending_.size() >= part_bytes) co_await send();
  }
  Async<Result<model::WriteMeta>> finish() {
    if (!pending_.empty()) co_await send();
    co_await send();  // the empty part
    if (!error_) co_return fail(error_.error());
    const auto answer = co_await stream_->receive();
    if (!answer) co_return fail(unanswered(*stream_));
    model::WriteMeta out;
    if (auto decoded = model::from_msgpack(*answer, out); !decoded) co_return fail(decoded.error());
    co_return out;
  }

 private:
  Async<> send() {
    std::string part = std::exchange(pending_, {});
    if (!stream_ && error_) co_await open();
    if (!error_) co_return;
    // A server that takes no more says why when it is asked for its answer.
    [[maybe_unused]] const bool sent = co_await stream_->send(std::move(part));
  }
  Async<> open() {
    if (c_.options.streams == nullptr) error_ = fail(no_streams());
    if (!error_) co_return;
    auto opened = co_await c_.options.streams->open(wire::streams::snapshot_restore, opening_);
    if (opened) stream_ = std::move(*opened);
    else error_ = fail(opened.error());
  }

  const Context& c_;
  model::SnapshotRestoreRequest opening_;
  std::unique_ptr<NodeStream> stream_;
  std::string pending_;
  Result<> error_;
};

Async<Response> restore(const Context& c, Request request) {
  auto upload = std::dynamic_pointer_cast<Upload>(request.sink);
  if (!upload) upload = std::make_shared<Upload>(c, request);
  if (!request.body.empty()) co_await upload->take(std::move(request.body));
  const auto reply = co_await upload->finish();
  if (!reply) co_return error_answer(reply.error());
  co_return empty_answer();
}

}  // namespace

void add_snapshot(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/operator/snapshot", bind<save>(context));
  router.add("PUT", "/v1/operator/snapshot", bind<restore>(context),
             {.max_body_bytes = 64ULL << 30, .sink = [context](const Request& head) { return std::make_shared<Upload>(*context, head); }});
}

}  // namespace drover::api
