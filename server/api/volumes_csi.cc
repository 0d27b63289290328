// CSI volumes and plugins as they are in a cluster in which no node offers a plugin: requests are checked, and then say so.
#include <algorithm>

#include "lib/model/rpc_volume.h"
#include "sdk/base/text.h"
#include "server/api/answer.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

using http::Request;
using http::Response;

Response failed(std::string text) { return error_answer(Error(Code::internal, std::move(text))); }

model::QueryMeta nothing_known() {
  model::QueryMeta meta;
  meta.known_leader = true;
  return meta;
}

Response no_plugin(const model::CSIVolumeDrafts& drafts, bool registers) {
  if (drafts.volumes.empty()) return failed("missing volume definition");
  for (const auto& volume : drafts.volumes) {
    std::vector<std::string> wrong;
    if (volume.id.empty()) wrong.emplace_back("missing volume id");
    if (volume.plugin_id.empty()) wrong.emplace_back("missing plugin id");
    if (volume.requested_capabilities.empty()) wrong.emplace_back("must include at least one capability block");
    if (!wrong.empty()) return failed("validation: " + join(wrong, ", "));
    if (registers && volume.external_id.empty()) return failed("validation: missing external ID");
  }
  return failed(fmt::format("no CSI plugin named: {} could be found", drafts.volumes.front().plugin_id));
}

template <bool registers>
Async<Response> put(const Context& c, Request request) {
  model::CSIVolumeDrafts body;
  if (auto read = read_body(request, body, "structs.CSIVolumeRegisterRequest"); !read) co_return error_answer(read.error());
  model::WriteRequest write;
  if (auto read = read_write(c, request, write); !read) co_return error_answer(read.error());
  co_return no_plugin(body, registers);
}

Async<Response> get_volume(const Context& c, Request request) {
  model::ObjectRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  co_return missing(nothing_known(), "volume not found");
}

Async<Response> remove(const Context& /*c*/, Request request) {
  if (!read_bool(request.query, "force")) co_return error_answer(Error(Code::invalid_argument, "invalid force value"));
  co_return failed("volume not found: " + std::string(request.param("id")));
}

Async<Response> detach(const Context& /*c*/, Request request) {
  if (request.query.get("node").empty()) co_return error_answer(Error(Code::invalid_argument, "detach requires node ID"));
  co_return failed("no such volume");
}

Async<Response> ask_plugin(const Context& /*c*/, Request /*request*/) { co_return failed("no such plugin"); }

Async<Response> put_snapshot(const Context& /*c*/, Request request) {
  if (request.body.empty()) co_return error_answer(Error(Code::invalid_argument, "Request body is empty"));
  co_return failed("1 error occurred:\n\t* no such plugin\n\n");
}

Async<Response> remove_snapshot(const Context& /*c*/, Request /*request*/) { co_return failed("1 error occurred:\n\t* no such plugin\n\n"); }

Async<Response> list_plugins(const Context& c, Request request) {
  model::ListRequest query;
  if (auto read = read_list_query(c, request, query); !read) co_return error_answer(read.error());
  if (request.query.get("type") != "csi") co_return Response{};
  co_return read_answer(request, nothing_known(), "[]");
}

Async<Response> get_plugin(const Context& c, Request request) {
  model::ObjectRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  co_return missing(nothing_known(), "plugin not found");
}

}  // namespace

void add_csi_volumes(http::Router& router, const ContextPtr& context) {
  router.add("PUT", "/v1/volumes", bind<put<true>>(context));
  router.add("GET", "/v1/volumes/external", bind<ask_plugin>(context));
  router.add("GET", "/v1/volumes/snapshot", bind<ask_plugin>(context));
  router.add("PUT", "/v1/volumes/snapshot", bind<put_snapshot>(context));
  router.add("DELETE", "/v1/volumes/snapshot", bind<remove_snapshot>(context));
  router.add("GET", "/v1/volume/csi/{id}", bind<get_volume>(context));
  router.add("PUT", "/v1/volume/csi/{id}", bind<put<true>>(context));
  router.add("DELETE", "/v1/volume/csi/{id}", bind<remove>(context));
  router.add("PUT", "/v1/volume/csi/{id}/create", bind<put<false>>(context));
  router.add("DELETE", "/v1/volume/csi/{id}/detach", bind<detach>(context));
  router.add("DELETE", "/v1/volume/csi/{id}/delete", bind<remove>(context));
  router.add("GET", "/v1/plugins", bind<list_plugins>(context));
  router.add("GET", "/v1/plugin/csi/{id}", bind<get_plugin>(context));
}

}  // namespace drover::api
