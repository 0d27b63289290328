// /v1/client/fs/...: ls, stat, cat, readat, stream, logs. Statuses and texts are the reference's, odd ones included.
#include "agent/api/fs_routes.h"

#include <unistd.h>

#include <array>

#include "agent/api/parameters.h"
#include "agent/fs/alloc_files.h"
#include "agent/fs/stream.h"
#include "lib/model/codec.h"

namespace drover::agent {
namespace {

using http::Request;
using http::Response;

struct FsRoutes {
  ClientOps& ops;
  Pool& pool;
  Elsewhere* elsewhere;
};

Response error_as(int status, const Error& error) { return Response::text(status, error.message()); }

Result<std::string> directory_of(const ClientOps& ops, std::string_view alloc) {
  DROVER_TRY(check_alloc_id(alloc));
  auto directory = ops.alloc_directory(alloc);
  if (!directory) return fail(unknown_allocation(alloc));
  return directory;
}

class HttpSink final : public ByteSink {
 public:
  explicit HttpSink(http::ResponseStream& out) : out_(out) {}
  Async<bool> write(std::string_view bytes) override {
    wrote_ = true;
    return out_.write(bytes);
  }
  Async<bool> flush() override { return out_.flush(); }
  // A stream that had anything to say is one on the wire too: chunked, however short.
  Async<> finish() {
    if (wrote_) [[maybe_unused]] const bool open = co_await out_.flush();
  }

 private:
  http::ResponseStream& out_;
  bool wrote_ = false;
};

Async<Response> list(FsRoutes routes, Request request) {
  auto root = directory_of(routes.ops, request.param("alloc"));
  if (!root) co_return Response::error(root.error());
  const std::string directory = *root, path(request.query.get("path"));
  auto files = co_await run_blocking(routes.pool, [directory, path]() -> Result<std::vector<model::AllocFileInfo>> {
    auto opened = AllocFiles::open(directory);
    if (!opened) return fail(opened.error());
    return opened->list(path.empty() ? "/" : path);
  });
  if (!files) co_return Response::error(files.error());
  std::string body = "[";
  for (const auto& file : *files) {
    if (body.size() > 1) body += ',';
    model::append_json(body, file);
  }
  co_return Response::json(body + "]");
}

Async<Response> stat_file(FsRoutes routes, Request request) {
  const std::string path(request.query.get("path"));
  if (path.empty()) co_return Response::text(400, "must provide a file name");
  auto root = directory_of(routes.ops, request.param("alloc"));
  if (!root) co_return Response::error(root.error());
  const std::string directory = *root;
  auto info = co_await run_blocking(routes.pool, [directory, path]() -> Result<model::AllocFileInfo> {
    auto opened = AllocFiles::open(directory);
    if (!opened) return fail(opened.error());
    return opened->stat(path);
  });
  if (!info) co_return Response::error(info.error());
  co_return Response::json(model::to_json(*info));
}

struct RawPart {
  std::shared_ptr<OpenedFile> file;
  std::int64_t offset = 0;
  std::int64_t limit = -1;  // -1: to the end
};

Async<> write_raw(Pool& pool, RawPart part, http::ResponseStream& out) {
  constexpr std::int64_t step = 64 << 10;
  while (part.limit != 0) {
    const std::int64_t want = part.limit < 0 ? step : std::min(step, part.limit);
    const int fd = part.file->fd.get();
    const std::int64_t offset = part.offset;
    std::string data = co_await run_blocking(pool, [fd, offset, want] {
      std::string bytes(static_cast<std::size_t>(want), '\0');
      const auto got = pread(fd, bytes.data(), bytes.size(), offset);
      bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
      return bytes;
    });
    if (data.empty()) co_return;
    part.offset += static_cast<std::int64_t>(data.size());
    if (part.limit > 0) part.limit -= static_cast<std::int64_t>(data.size());
    const bool open = co_await out.write(data);
    if (!open) co_return;
  }
}

// cat and readat: errors have status 200, as the reference has already sent its head by then.
Async<Response> raw(FsRoutes routes, Request request, bool part_only) {
  const std::string path(request.query.get("path"));
  if (path.empty()) co_return Response::text(200, "must provide a file name");
  RawPart part;
  if (part_only) {
    auto offset = require_int_parameter(request, "offset");
    if (!offset) co_return error_as(200, offset.error());
    auto limit = parse_int_parameter(request, "limit", 0);
    if (!limit) co_return error_as(200, limit.error());
    part.offset = *offset;
    part.limit = *limit > 0 ? *limit : -1;
  }
  auto root = directory_of(routes.ops, request.param("alloc"));
  if (!root) co_return Response::error(root.error());
  const std::string directory = *root;
  std::string head;
  auto file = co_await run_blocking(routes.pool, [directory, path, &head]() -> Result<OpenedFile> {
    auto opened = AllocFiles::open(directory);
    if (!opened) return fail(opened.error());
    auto found = opened->read(path);
    if (!found) return found;
    head.resize(512);
    const auto size = pread(found->fd.get(), head.data(), head.size(), 0);
    head.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return found;
  });
  if (!file) co_return error_as(200, file.error());
  if (part.offset < 0) co_return Response::text(200, fmt::format("can't seek to offset {}: seek {}/{}: invalid argument", part.offset, directory, path));
  if (part.offset > 0 && part.offset >= file->size) co_return Response::text(200, "");
  part.file = std::make_shared<OpenedFile>(std::move(*file));
  const std::string type = sniff_content_type(head);
  Response response;
  // What a task wrote must not run in the browser of whoever looks at it.
  response.headers.set("Content-Type", type.starts_with("text/") && !type.starts_with("text/plain") ? "text/plain" : type);
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox");
  response.early_head = false;
  Pool& pool = routes.pool;
  response.stream = [&pool, part](http::ResponseStream& out) { return write_raw(pool, part, out); };
  co_return response;
}
Async<Response> cat(FsRoutes routes, Request request) { return raw(routes, std::move(request), false); }
Async<Response> read_at(FsRoutes routes, Request request) { return raw(routes, std::move(request), true); }

Async<> write_file_stream(Pool& pool, std::shared_ptr<OpenedFile> file, std::string name, StreamOptions options, http::ResponseStream& out) {
  HttpSink sink(out);
  co_await stream_file(pool, std::move(*file), std::move(name), options, sink);
  co_await sink.finish();
}
Async<> write_log_stream(Pool& pool, std::shared_ptr<const AllocFiles> files, std::string task, std::string type, StreamOptions options,
                         http::ResponseStream& out) {
  HttpSink sink(out);
  co_await stream_logs(pool, std::move(files), std::move(task), std::move(type), options, sink);
  co_await sink.finish();
}

Async<Response> stream(FsRoutes routes, Request request) {
  const std::string path(request.query.get("path"));
  if (path.empty()) co_return Response::text(400, "must provide a file name");
  StreamOptions options;
  auto follow = parse_bool_parameter(request, "follow", true);
  if (!follow) co_return error_as(500, follow.error());
  auto offset = parse_int_parameter(request, "offset", 0);
  if (!offset) co_return error_as(500, offset.error());
  auto from_end = parse_origin(request);
  if (!from_end) co_return error_as(400, from_end.error());
  options = {.offset = *offset, .from_end = *from_end, .follow = *follow};
  auto root = directory_of(routes.ops, request.param("alloc"));
  if (!root) co_return Response::error(root.error());
  const std::string directory = *root;
  auto file = co_await run_blocking(routes.pool, [directory, path]() -> Result<OpenedFile> {
    auto opened = AllocFiles::open(directory);
    if (!opened) return fail(opened.error());
    return opened->read(path);
  });
  if (!file) co_return error_as(400, file.error());
  if (options.offset < 0 && !options.from_end)
    co_return Response::text(500, fmt::format("can't seek to offset {}: seek {}/{}: invalid argument", options.offset, directory, path));
  Response response;
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.early_head = options.follow;
  auto shared = std::make_shared<OpenedFile>(std::move(*file));
  Pool& pool = routes.pool;
  response.stream = [&pool, shared, path, options](http::ResponseStream& out) { return write_file_stream(pool, shared, path, options, out); };
  co_return response;
}

Async<Response> logs(FsRoutes routes, Request request) {
  const std::string alloc(request.param("alloc")), task(request.query.get("task")), type(request.query.get("type"));
  if (alloc.empty()) co_return Response::text(400, "must provide a valid alloc id");
  if (task.empty()) co_return Response::text(400, "must provide task name");
  auto follow = parse_bool_parameter(request, "follow", false);
  if (!follow) co_return error_as(400, follow.error());
  auto plain = parse_bool_parameter(request, "plain", false);
  if (!plain) co_return error_as(400, plain.error());
  if (type != "stdout" && type != "stderr") co_return Response::text(400, "must provide log type (stdout/stderr)");
  auto offset = parse_int_parameter(request, "offset", 0);
  if (!offset) co_return error_as(400, offset.error());
  auto from_end = parse_origin(request);
  if (!from_end) co_return error_as(400, from_end.error());
  auto root = directory_of(routes.ops, alloc);
  if (!root) co_return Response::error(root.error());
  const auto presence = routes.ops.task_presence(alloc, task);
  if (presence == TaskPresence::unknown) co_return Response::text(400, fmt::format("unknown task name \"{}\"", task));
  if (presence == TaskPresence::not_started) co_return Response::text(404, fmt::format("task \"{}\" not started yet. No logs available", task));
  const std::string directory = *root;
  auto files = co_await run_blocking(routes.pool, [directory] { return AllocFiles::open(directory); });
  if (!files) co_return Response::error(files.error());
  const StreamOptions options{.offset = *offset, .from_end = *from_end, .follow = *follow, .plain = *plain};
  Response response;
  response.headers.set("Content-Type", *plain ? "text/plain" : "application/json");
  response.early_head = options.follow;
  auto shared = std::make_shared<const AllocFiles>(std::move(*files));
  Pool& pool = routes.pool;
  response.stream = [&pool, shared, task, type, options](http::ResponseStream& out) { return write_log_stream(pool, shared, task, type, options, out); };
  co_return response;
}

Async<Response> no_alloc(FsRoutes, Request) { co_return Response::text(400, "must provide a valid alloc id"); }
Async<Response> no_such(FsRoutes, Request) { co_return Response::text(404, "Invalid method"); }

using Function = Async<Response> (*)(FsRoutes, Request);
Async<Response> here_or_there(FsRoutes routes, Function function, Request request) {
  auto there = co_await ask_elsewhere(routes.ops, routes.elsewhere, request);
  if (there) co_return std::move(*there);
  auto here = co_await function(routes, std::move(request));
  co_return here;
}

}  // namespace

Async<std::optional<Response>> ask_elsewhere(ClientOps& ops, Elsewhere* elsewhere, const Request& request) {
  std::string alloc(request.param("alloc"));
  if (elsewhere == nullptr || !check_alloc_id(alloc) || ops.alloc_directory(alloc)) co_return std::nullopt;
  auto answer = co_await elsewhere->ask_alloc(std::move(alloc), request);
  co_return answer;
}

void add_fs_routes(http::Router& router, ClientOps& ops, Pool& pool, Elsewhere* elsewhere) {
  const FsRoutes routes{ops, pool, elsewhere};
  const auto add = [&](const char* pattern, Function function) {
    router.add("*", pattern, [routes, function](Request request) { return here_or_there(routes, function, std::move(request)); }, {.cors = http::Cors::get});
  };
  static constexpr std::pair<const char*, Function> all[] = {{"ls", list}, {"stat", stat_file}, {"cat", cat}, {"readat", read_at}, {"stream", stream}, {"logs", logs}};
  for (const auto& [name, function] : all) {
    const std::string base = std::string("/v1/client/fs/") + name + "/";
    add((base + "{alloc}").c_str(), function);
    add(base.c_str(), no_alloc);
  }
  add("/v1/client/fs/{rest...}", no_such);
}

}  // namespace drover::agent
