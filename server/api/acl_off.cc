#include "server/api/acl_off.h"

#include <nlohmann/json.hpp>

#include "server/api/answer.h"

namespace drover::api {
namespace {

using http::Request;
using http::Response;

Async<Response> refuse(const Context&, Request) { co_return error_answer(Error(Code::invalid_argument, "ACL support disabled")); }

// Nobody has a token whose policies could be shown.
Async<Response> own_policies(const Context&, Request) { co_return error_answer(Error(Code::permission_denied, "Permission denied")); }

// The name is compared before anybody asks whether access control is on.
Async<Response> put_policy(const Context&, Request request) {
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  const std::string name = body.is_object() ? body.value("Name", "") : "";
  if (name != request.param("name")) co_return error_answer(Error(Code::invalid_argument, "ACL policy name does not match request path"));
  co_return error_answer(Error(Code::invalid_argument, "ACL support disabled"));
}

}  // namespace

void add_acl_off(http::Router& router, const ContextPtr& context) {
  for (const char* path : {"/v1/acl/policies", "/v1/acl/tokens", "/v1/acl/roles", "/v1/acl/auth-methods", "/v1/acl/binding-rules"}) {
    router.add("GET", path, bind<refuse>(context));
  }
  for (const char* path : {"/v1/acl/bootstrap", "/v1/acl/token", "/v1/acl/role", "/v1/acl/auth-method", "/v1/acl/binding-rule", "/v1/acl/login",
                           "/v1/acl/oidc/auth-url", "/v1/acl/oidc/complete-auth", "/v1/acl/token/onetime", "/v1/acl/token/onetime/exchange"}) {
    router.add("PUT", path, bind<refuse>(context));
  }
  for (const char* path : {"/v1/acl/token/{id...}", "/v1/acl/role/{id...}", "/v1/acl/auth-method/{id...}", "/v1/acl/binding-rule/{id...}"}) {
    router.add("GET PUT DELETE", path, bind<refuse>(context));
  }
  router.add("GET", "/v1/acl/role/name/{name...}", bind<refuse>(context));
  router.add("GET", "/v1/acl/policy/self", bind<own_policies>(context));
  router.add("GET DELETE", "/v1/acl/policy/{name...}", bind<refuse>(context));
  router.add("PUT", "/v1/acl/policy/{name...}", bind<put_policy>(context));
}

}  // namespace drover::api
