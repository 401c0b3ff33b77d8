#include "probe/lockdown.h"

#include <fstream>

namespace tcpflight {

// "none [integrity] confidentiality": the word in brackets is in force.
std::string lockdown_mode()
{
    std::ifstream file("/sys/kernel/security/lockdown");
    std::string text;
    std::getline(file, text);
    auto open = text.find('[');
    auto close = text.find(']', open);
    if (open == std::string::npos || close == std::string::npos)
        return {};
    return text.substr(open + 1, close - open - 1);
}

} // namespace tcpflight
