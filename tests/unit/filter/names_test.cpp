// What this host has names for.
#include "filter/names.h"

#include "model/account.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tcpflight::test {
namespace {

TEST(Names, KnowUsers)
{
    auto root = system_names().uid("root");
    ASSERT_TRUE(root) << root.error().message;
    EXPECT_EQ(*root, 0U);
    const auto users = local_users();
    EXPECT_NE(std::find(users.begin(), users.end(), "root"), users.end());
}

TEST(Names, SuggestAUser)
{
    auto wrong = system_names().uid("rooot");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().message, "did you mean 'root'?");
    auto strange = system_names().uid("xyzzy-xyzzy");
    ASSERT_FALSE(strange);
    EXPECT_EQ(strange.error().message, "give a number, or a name as getent passwd lists them");
}

} // namespace
} // namespace tcpflight::test
