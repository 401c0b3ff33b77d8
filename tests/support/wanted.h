// What a table asks, answered by a plain yes or no.
#pragma once

#include "table/table.h"

#include <utility>

namespace tcpflight::test {

template <typename Test> Table::Wanted only(Test test)
{
    return [test = std::move(test)](const Identity &identity, Direction /*direction*/) {
        return test(identity) ? Admission::Yes : Admission::No;
    };
}

} // namespace tcpflight::test
