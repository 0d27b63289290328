#include "lib/model/reflect.inc.h"
#include "lib/model/driver_schema.h"
#include "lib/model/node.h"
#include "lib/model/stats.h"
#include "lib/model/config.h"

using namespace drover::model;

DROVER_MODEL_FIELDS(Node)

DROVER_MODEL_CODEC(Node)
DROVER_MODEL_CODEC(NodeListStub)
DROVER_MODEL_CODEC(NodePool)
DROVER_MODEL_CODEC(NodeResources)
DROVER_MODEL_CODEC(DriverInfo)
DROVER_MODEL_CODEC(ClientHostVolumeConfig)
DROVER_MODEL_CODEC(NodeEvent)
DROVER_MODEL_CODEC(AllocResourceUsage)
DROVER_MODEL_CODEC(HostStats)
DROVER_MODEL_CODEC(DriverSchema)
DROVER_MODEL_CODEC(List<DriverSchema>)
DROVER_MODEL_CODEC(SchedulerConfiguration)
DROVER_MODEL_CODEC(Namespace)
DROVER_MODEL_CODEC(List<Namespace>)
DROVER_MODEL_CODEC(DrainStrategy)
DROVER_MODEL_CODEC(List<NodeListStub>)
