// Services registered with the built-in provider.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"

namespace drover::model {

struct ServiceRegistration {
  std::string id;
  std::string service_name;
  std::string namespace_;
  std::string node_id;
  std::string datacenter;
  std::string job_id;
  std::string alloc_id;
  List<std::string> tags;
  std::string address;
  std::int64_t port = 0;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("ServiceName", self.service_name);
    v("Namespace", self.namespace_);
    v("NodeID", self.node_id);
    v("Datacenter", self.datacenter);
    v("JobID", self.job_id);
    v("AllocID", self.alloc_id);
    v("Tags", self.tags);
    v("Address", self.address);
    v("Port", self.port);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
  }
  friend bool operator==(const ServiceRegistration&, const ServiceRegistration&) = default;
};

struct ServiceRegistrationStub {
  std::string service_name;
  List<std::string> tags;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ServiceName", self.service_name);
    v("Tags", self.tags);
  }
  friend bool operator==(const ServiceRegistrationStub&, const ServiceRegistrationStub&) = default;
};

struct ServiceRegistrationListStub {
  std::string namespace_;
  List<ServiceRegistrationStub> services;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespace", self.namespace_);
    v("Services", self.services);
  }
  friend bool operator==(const ServiceRegistrationListStub&, const ServiceRegistrationListStub&) = default;
};

struct ServiceRegistrationStreamEvent {
  Box<ServiceRegistration> service;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Service", self.service);
  }
  friend bool operator==(const ServiceRegistrationStreamEvent&, const ServiceRegistrationStreamEvent&) = default;
};

}  // namespace drover::model
