#include "model/event.h"

#include "tcpflight/records.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tcpflight {
namespace {

TEST(Owner, CommEndsAtTheFirstNul)
{
    Owner owner;
    EXPECT_EQ(owner.comm_view(), "");
    std::ranges::copy(std::string_view("nc\0left over", 12), owner.comm.begin());
    EXPECT_EQ(owner.comm_view(), "nc");
}

TEST(Owner, CommMayFillAllItsBytes)
{
    Owner owner;
    owner.comm.fill('x');
    EXPECT_EQ(owner.comm_view(), std::string(16, 'x'));
}

TEST(Owner, IsKnownByItsSource)
{
    Owner owner;
    EXPECT_FALSE(owner.is_known());
    for (const auto source :
         {OwnerSource::Inherited, OwnerSource::Listen, OwnerSource::Connect, OwnerSource::Syscall}) {
        owner.source = source;
        EXPECT_TRUE(owner.is_known());
    }
}

TEST(Names, OfOwnerSources)
{
    EXPECT_EQ(name(OwnerSource::Unknown), "unknown");
    EXPECT_EQ(name(OwnerSource::Inherited), "inherited");
    EXPECT_EQ(name(OwnerSource::Listen), "listen");
    EXPECT_EQ(name(OwnerSource::Connect), "connect");
    EXPECT_EQ(name(OwnerSource::Syscall), "syscall");
}

TEST(Names, OfLossReasons)
{
    EXPECT_EQ(describe(LossReason::RingFull), "ring buffer full");
    EXPECT_EQ(describe(LossReason::Nested), "program interrupted by itself");
    EXPECT_EQ(describe(LossReason::DiskFull), "disk full");
    EXPECT_EQ(describe(LossReason::Damaged), "recording damaged");
}

// The model is cast to from records: the numbers are one interface.
TEST(Numbers, AreThoseOfTheRecords)
{
    EXPECT_EQ(static_cast<int>(OwnerSource::Unknown), TF_OWNER_UNKNOWN);
    EXPECT_EQ(static_cast<int>(OwnerSource::Inherited), TF_OWNER_INHERITED);
    EXPECT_EQ(static_cast<int>(OwnerSource::Listen), TF_OWNER_LISTEN);
    EXPECT_EQ(static_cast<int>(OwnerSource::Connect), TF_OWNER_CONNECT);
    EXPECT_EQ(static_cast<int>(OwnerSource::Syscall), TF_OWNER_SYSCALL);
    EXPECT_EQ(static_cast<int>(LossReason::RingFull), TF_LOSS_RING_FULL);
    EXPECT_EQ(static_cast<int>(LossReason::Nested), TF_LOSS_NESTED);
    EXPECT_EQ(static_cast<int>(LossReason::DiskFull), TF_LOSS_DISK_FULL);
    EXPECT_EQ(static_cast<int>(LossReason::Damaged), TF_LOSS_DAMAGED);
}

} // namespace
} // namespace tcpflight
