#include "recording/summary.h"
#include "recording/writer.h"
