// Finds the handler of a request by method and path. Built once, then read on the loop; the handler it gives out must not
// outlive it.
//
// Pattern: literal segments, `{name}` for one segment, `{name...}` for the rest of the path, which may be followed by more
// segments: `/v1/job/{id...}/plan` matches on its first and last words, so an id may hold slashes, encoded or not (http-api
// 1.1). Of several patterns that match, the one with the most literal words is taken, and only then the method is looked at.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/http/message.h"

namespace drover::http {

// Permissive CORS of some routes: `Vary: Origin`, any origin, and preflights answered 204.
enum class Cors : std::uint8_t { off, get, head_get, head_get_put_delete };

struct RouteOptions {
  Cors cors = Cors::off;
  // Body limit; 0 takes the server's.
  std::uint64_t max_body_bytes = 0;
  // Made of the head of a request that has a body, to be given it as it comes.
  std::function<std::shared_ptr<BodySink>(const Request& head)> sink = {};
  // False leaves out Router::set_response_headers (user interface).
  bool api = true;
};

class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  // `methods`: space-separated, or `*` for any. PUT and POST are interchangeable and one stands for both (http-api 1.2).
  // Adding a method of a pattern twice is a bug.
  void add(std::string_view methods, std::string_view pattern, Handler handler, RouteOptions options = {});
  // Answers a known path asked with a wrong method instead of 405 `Invalid method`.
  void on_wrong_method(std::string_view pattern, int status, std::string text);
  // `http_api_response_headers`: on every answer of an API handler, before the handler's own.
  void set_response_headers(Headers headers);

  // Redirects unclean paths and subtrees without their last slash (307), then calls the handler; 404 without a body when
  // nothing matches.
  [[nodiscard]] Async<Response> handle(Request request) const;
  // Where a request's body is to go, before it is read; null: into the request.
  [[nodiscard]] std::shared_ptr<BodySink> body_sink(const Request& head) const;
  // The limit for a request's body before it is read; 0 means the server's own.
  [[nodiscard]] std::uint64_t max_body_bytes(std::string_view method, std::string_view path) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::http
