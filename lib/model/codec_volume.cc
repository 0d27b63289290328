#include "lib/model/reflect.inc.h"
#include "lib/model/rpc_volume.h"

using namespace drover::model;

DROVER_MODEL_CODEC(HostVolumeDeleteRequest)
DROVER_MODEL_CODEC(HostVolumeListRequest)
DROVER_MODEL_CODEC(VolumeClaimsRequest)
DROVER_MODEL_CODEC(CSIVolumeDraft)
DROVER_MODEL_CODEC(CSIVolumeDrafts)
DROVER_MODEL_CODEC(List<HostVolumeStub>)
DROVER_MODEL_CODEC(List<TaskGroupHostVolumeClaim>)
DROVER_MODEL_CODEC(ListReply<HostVolumeStub>)
DROVER_MODEL_CODEC(ListReply<std::shared_ptr<const TaskGroupHostVolumeClaim>>)
DROVER_MODEL_CODEC(ObjectReply<HostVolume>)
