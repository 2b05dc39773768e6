#include "io/output_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/io/image_samples.h"

namespace godwit {
namespace {

Status WriteText(const std::string& path, std::string_view text, bool overwrite) {
  GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile file, AtomicOutputFile::Create(path, overwrite));
  GODWIT_RETURN_IF_ERROR(file.Write(ToBytes(text)));
  return file.Commit();
}

TEST(OutputFileTest, CommittedBytesAreAllThere) {
  const TempFolder folder;
  for (const size_t size : {0, 1, 65535, 65536, 65537, 300000}) {
    Bytes want(size);
    for (size_t i = 0; i < size; ++i) want[i] = static_cast<std::byte>(i * 13);
    auto file = AtomicOutputFile::Create(folder.File("f"), true);
    ASSERT_TRUE(file.ok()) << file.status().message();
    for (size_t at = 0, n = 1; at < size; at += n, n = n * 3 + 1) {
      n = std::min(n, size - at);
      ASSERT_TRUE(file->Write(std::span(want).subspan(at, n)).ok());
    }
    ASSERT_TRUE(file->Commit().ok());
    EXPECT_EQ(LoadBytes(folder.File("f")), want);
  }
  EXPECT_EQ(folder.Names().size(), 1u);
}

TEST(OutputFileTest, NothingIsLeftWithoutCommit) {
  const TempFolder folder;
  {
    auto file = AtomicOutputFile::Create(folder.File("new"), false);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->Write(Bytes(200000)).ok());
    EXPECT_FALSE(std::filesystem::exists(folder.File("new")));
    EXPECT_EQ(folder.Names().size(), 1u);  // the temporary file
    AtomicOutputFile moved = *std::move(file);
    EXPECT_EQ(folder.Names().size(), 1u);
  }
  EXPECT_TRUE(folder.Names().empty());
}

TEST(OutputFileTest, OlderFileStaysUntilCommitAndKeepsItsPermissions) {
  const TempFolder folder;
  const std::string path = folder.File("f");
  ASSERT_TRUE(WriteText(path, "old", false).ok());
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  {
    auto file = AtomicOutputFile::Create(path, true);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->Write(ToBytes("unfinished")).ok());
  }
  EXPECT_EQ(LoadBytes(path), ToBytes("old"));
  ASSERT_TRUE(WriteText(path, "new", true).ok());
  EXPECT_EQ(LoadBytes(path), ToBytes("new"));
  struct stat about;
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0640u);
}

TEST(OutputFileTest, ExistingFilesAreRefusedUnlessOverwritten) {
  const TempFolder folder;
  const std::string path = folder.File("f");
  ASSERT_TRUE(WriteText(path, "old", false).ok());
  const Status refused = WriteText(path, "new", false);
  EXPECT_EQ(refused.code(), StatusCode::kNotWritable);
  EXPECT_EQ(refused.message(), path + ": exists already");
  EXPECT_EQ(LoadBytes(path), ToBytes("old"));
}

TEST(OutputFileTest, FileThatAppearsMeanwhileIsNotReplaced) {
  const TempFolder folder;
  const std::string path = folder.File("f");
  {
    auto file = AtomicOutputFile::Create(path, false);
    ASSERT_TRUE(file.ok());
    SaveBytes(path, ToBytes("other"));
    EXPECT_EQ(file->Commit().code(), StatusCode::kNotWritable);
  }
  EXPECT_EQ(LoadBytes(path), ToBytes("other"));
  EXPECT_EQ(folder.Names().size(), 1u);
}

TEST(OutputFileTest, LinksAreFollowedAndLinksToNothingRefused) {
  const TempFolder folder;
  ASSERT_TRUE(WriteText(folder.File("real"), "old", false).ok());
  std::filesystem::create_symlink("real", folder.File("link"));
  std::filesystem::create_symlink("nothing", folder.File("dangling"));
  EXPECT_EQ(WriteText(folder.File("link"), "new", false).code(), StatusCode::kNotWritable);
  ASSERT_TRUE(WriteText(folder.File("link"), "new", true).ok());
  EXPECT_TRUE(std::filesystem::is_symlink(folder.File("link")));
  EXPECT_EQ(LoadBytes(folder.File("real")), ToBytes("new"));
  EXPECT_EQ(WriteText(folder.File("dangling"), "new", true).code(), StatusCode::kNotWritable);
}

TEST(OutputFileTest, FoldersAndMissingFoldersAreNotWritable) {
  const TempFolder folder;
  for (const std::string& path : {folder.File("."), folder.File("no/such"), std::string()}) {
    EXPECT_EQ(WriteText(path, "x", true).code(), StatusCode::kNotWritable) << path;
  }
  EXPECT_TRUE(folder.Names().empty());
}

TEST(OutputFileTest, DevicesAreWrittenDirectlyAndFullOnesReported) {
  EXPECT_TRUE(WriteText("/dev/null", "x", false).ok());
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP();
  EXPECT_EQ(WriteText("/dev/full", "x", false).code(), StatusCode::kNotWritable);
}

TEST(OutputFileTest, FailedWriteStaysAndLeavesNothing) {
  const TempFolder folder;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {  // a size limit of one's own process stands in for a full disk
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100000, 100000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    bool failed = false;
    {
      auto file = AtomicOutputFile::Create(folder.File("f"), false);
      if (!file.ok()) ::_exit(2);
      for (int i = 0; i < 4; ++i) failed = !file->Write(Bytes(50000)).ok();
      failed = failed && file->Commit().code() == StatusCode::kNotWritable;
    }
    ::_exit(failed ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE(folder.Names().empty());
}

TEST(OutputFileTest, SignalsRemoveTemporariesAndStillKill) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const TempFolder folder;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::signal(signal, SIG_DFL);  // a shell may have it ignored
      RemoveOutputsOnSignal();
      auto committed = AtomicOutputFile::Create(folder.File("whole"), false);
      if (!committed.ok() || !committed->Commit().ok()) ::_exit(2);
      auto first = AtomicOutputFile::Create(folder.File("a"), false);
      auto second = AtomicOutputFile::Create(folder.File("b"), false);
      if (folder.Names().size() != 3) ::_exit(3);
      ::raise(signal);
      ::_exit(4);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << status;
    EXPECT_EQ(folder.Names(), std::vector<std::string>{"whole"});
  }
}

}  // namespace
}  // namespace godwit
