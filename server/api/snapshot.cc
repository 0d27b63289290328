// The whole state as a file, and back.
#include "lib/snapshot/archive.h"
#include "sdk/base/encoding.h"
#include "server/api/answer.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

namespace endpoints = wire::endpoints;
using http::Request;
using http::Response;
constexpr std::chrono::minutes limit{10};

Async<Response> save(const Context& c, Request request) {
  model::EmptyRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::snapshot_save, std::move(query), limit);
  if (!reply) co_return error_answer(reply.error());
  Response out;
  out.body = reply->archive.data();
  out.compress = false;
  out.headers.add("Content-Type", "application/x-gzip");
  out.headers.add("Digest", "sha-256=" + base64_encode(snapshot::sha256(out.body)));
  co_return out;
}

Async<Response> restore(const Context& c, Request request) {
  model::SnapshotRestoreRequest body;
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  body.archive = model::Bytes(std::move(request.body));
  auto reply = co_await c.caller.call(endpoints::snapshot_restore, std::move(body), limit);
  if (!reply) co_return error_answer(reply.error());
  co_return empty_answer();
}

}  // namespace

void add_snapshot(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/operator/snapshot", bind<save>(context));
  router.add("PUT", "/v1/operator/snapshot", bind<restore>(context), {.max_body_bytes = 4ULL << 30});
}

}  // namespace drover::api
