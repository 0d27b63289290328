// Host volumes and the claims of sticky ones.
#include "lib/model/rpc_volume.h"
#include "server/api/answer.h"
#include "server/api/get_object.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

namespace endpoints = wire::endpoints;
using http::Request;
using http::Response;

Async<Response> list(const Context& c, Request request) {
  const auto type = request.query.get("type");
  if (type.empty()) co_return json_answer(request, "[]");
  if (type != "host" && type != "csi") co_return Response::text(404, "resource not found");
  model::HostVolumeListRequest query;
  if (auto read = read_list_query(c, request, query); !read) co_return error_answer(read.error());
  if (type == "csi") {
    // No node offers a CSI plugin, so there are no volumes of one.
    model::QueryMeta meta;
    meta.known_leader = true;
    co_return read_answer(request, meta, "[]");
  }
  query.node_id = request.query.get("node_id");
  query.node_pool = request.query.get("node_pool");
  auto reply = co_await c.caller.call(endpoints::host_volume_list, std::move(query));
  co_return list_answer(request, reply);
}

Async<Response> get(const Context& c, Request request) {
  return get_object(c, std::move(request), endpoints::host_volume_get, "id", "volume not found");
}

template <class Body, class Rep>
Async<Response> write_body(const Context& c, Request request, wire::Endpoint<Body, Rep> endpoint, std::string_view go_type) {
  Body body;
  if (auto read = read_body(request, body, go_type); !read) co_return error_answer(read.error());
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoint, std::move(body));
  co_return written_answer(request, reply);
}

Async<Response> create(const Context& c, Request request) {
  return write_body(c, std::move(request), endpoints::host_volume_create, "structs.HostVolumeCreateRequest");
}

Async<Response> register_volume(const Context& c, Request request) {
  return write_body(c, std::move(request), endpoints::host_volume_register, "structs.HostVolumeRegisterRequest");
}

Async<Response> remove(const Context& c, Request request) {
  model::HostVolumeDeleteRequest body;
  body.volume_id = request.param("id");
  const auto force = read_bool(request.query, "force");
  if (!force) co_return error_answer(Error(Code::invalid_argument, "invalid force value"));
  body.force = force->value_or(false);
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::host_volume_delete, std::move(body));
  co_return written_answer(request, reply);
}

Async<Response> claims(const Context& c, Request request) {
  model::VolumeClaimsRequest query;
  if (auto read = read_list_query(c, request, query); !read) co_return error_answer(read.error());
  query.job_id = request.query.get("job_id");
  query.task_group = request.query.get("task_group");
  query.volume_name = request.query.get("volume_name");
  auto reply = co_await c.caller.call(endpoints::volume_claims, std::move(query));
  co_return list_answer(request, reply);
}

Async<Response> delete_claim(const Context& c, Request request) {
  model::NameRequest body;
  body.name = request.param("id");
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::volume_claim_delete, std::move(body));
  co_return reply ? empty_answer(reply->index) : error_answer(reply.error());
}

}  // namespace

void add_volumes(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/volumes", bind<list>(context));
  router.add("GET", "/v1/volumes/claims", bind<claims>(context));
  router.add("DELETE", "/v1/volumes/claim/{id}", bind<delete_claim>(context));
  router.add("PUT", "/v1/volume/host/create", bind<create>(context));
  router.add("PUT", "/v1/volume/host/register", bind<register_volume>(context));
  router.add("GET", "/v1/volume/host/{id}", bind<get>(context));
  router.add("DELETE", "/v1/volume/host/{id}", bind<remove>(context));
  router.add("DELETE", "/v1/volume/host/{id}/delete", bind<remove>(context));
  router.on_wrong_method("/v1/volume/host/{id}", 404, "resource not found");
}

}  // namespace drover::api
