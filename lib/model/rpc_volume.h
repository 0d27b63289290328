// What agents say to servers about volumes; the HTTP API's types are in api_volume.h.
#pragma once

#include <string>

#include "lib/model/api_volume.h"
#include "lib/model/rpc.h"

namespace drover::model {

struct HostVolumeDeleteRequest : WriteRequest {
  std::string volume_id;
  bool force = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("VolumeID", self.volume_id);
    v("Force", self.force);
  }
};

struct HostVolumeListRequest : ListRequest {
  std::string node_id;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    ListRequest::describe(self, v);
    v("NodeID", self.node_id);
  }
};

struct VolumeClaimsRequest : ListRequest {
  std::string task_group;
  std::string volume_name;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    ListRequest::describe(self, v);
    v("TaskGroup", self.task_group);
    v("VolumeName", self.volume_name);
  }
};

// What the servers look at of a CSI volume before they ask its plugin.
struct CSIVolumeDraft {
  std::string id;
  std::string plugin_id;
  std::string external_id;
  List<HostVolumeCapability> requested_capabilities;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("PluginID", self.plugin_id);
    v("ExternalID", self.external_id);
    v("RequestedCapabilities", self.requested_capabilities);
  }
};

struct CSIVolumeDrafts {
  List<CSIVolumeDraft> volumes;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Volumes", self.volumes);
  }
};

}  // namespace drover::model
