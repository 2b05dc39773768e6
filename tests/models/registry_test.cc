#include "models/registry.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "models/builtin_models.h"
#include "models/safetensors_writer.h"

namespace godwit {
namespace {

using Metadata = std::initializer_list<std::pair<const char*, std::string>>;

Bytes ModelFile(const Metadata& metadata) {
  SafeTensorsWriter writer;
  writer.SetMetadata("godwit.codec", "test");
  for (const auto& [key, value] : metadata) writer.SetMetadata(key, value);
  return writer.Finish();
}

class RegistryTest : public testing::Test {
 protected:
  RegistryTest() {
    std::string name = (std::filesystem::temp_directory_path() / "godwit_models_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    folder_ = name;
  }
  ~RegistryTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  // Writes below the test's folder; returns the id.
  uint64_t Save(const std::string& name, const Bytes& bytes) const {
    const std::filesystem::path path = folder_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return ModelIdOf(bytes);
  }

  std::string folder_;
};

TEST(ModelIdTest, HexIsTheBytesInOrder) {
  EXPECT_EQ(ModelIdHex(0x0123456789abcdef), "efcdab8967452301");
  EXPECT_EQ(ParseModelId("efcdab8967452301"), 0x0123456789abcdefu);
  EXPECT_EQ(ParseModelId("EFCDAB8967452301"), 0x0123456789abcdefu);
  for (const char* const bad : {"", "efcdab896745230", "efcdab89674523011", "efcdab896745230g"}) {
    EXPECT_EQ(ParseModelId(bad), std::nullopt) << bad;
  }
  // SHA-256 of nothing begins e3b0c44298fc1c14.
  EXPECT_EQ(ModelIdHex(ModelIdOf({})), "e3b0c44298fc1c14");
}

TEST(BuiltinModelsTest, EachIsWholeAndHasTheIdOfItsBytes) {
  ModelRegistry registry;
  EXPECT_EQ(registry.List().size(), BuiltinModels().size());
  for (const BuiltinModel& model : BuiltinModels()) {
    EXPECT_EQ(ModelIdHex(ModelIdOf(model.bytes)), model.id_hex) << model.file;
  }
  for (const ModelEntry& entry : registry.List()) {
    EXPECT_TRUE(entry.status.ok()) << entry.file << ": " << entry.status.message();
    const Result<SafeTensors> file = registry.Load(entry);
    ASSERT_TRUE(file.ok()) << entry.file;
    EXPECT_EQ(ModelIdOf(file->file()), entry.id) << entry.file;
    if (entry.kind == "stream") {
      EXPECT_TRUE(registry.FindStreamModel(entry.id).ok());
    }
    if (entry.kind == "synthesis") {
      EXPECT_TRUE(registry.FindSynthesis(entry.codec, entry.stream_id, entry.size).ok());
      const bool serves_all = entry.codec == "packet";
      EXPECT_EQ(entry.stream_id == 0, serves_all);
      EXPECT_TRUE(serves_all || registry.FindStreamModel(entry.stream_id).ok()) << entry.file;
    }
    if (entry.kind == "entropy") {
      const auto id = static_cast<uint32_t>(entry.id);
      EXPECT_EQ(ModelIdOf(registry.FindEntropy(entry.stream_id, id)->file()), entry.id);
      EXPECT_TRUE(IsEntropySize(entry.size)) << entry.file;
      EXPECT_TRUE(registry.FindEntropy(entry.stream_id, entry.size).ok()) << entry.file;
    }
  }
}

TEST_F(RegistryTest, FindsByWhatTheFilesSay) {
  const uint64_t stream = Save("a.safetensors", ModelFile({{"godwit.kind", "stream"}}));
  const uint64_t small =
      Save("b.safetensors", ModelFile({{"godwit.kind", "synthesis"},
                                       {"godwit.synthesis.size", "small"},
                                       {"godwit.synthesis.stream", ModelIdHex(stream)}}));
  ModelRegistry registry;
  ASSERT_TRUE(registry.AddFolder(folder_).ok());
  const Result<SafeTensors> found = registry.FindStreamModel(stream);
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_EQ(ModelIdOf(found->file()), stream);
  const Result<SafeTensors> synthesis = registry.FindSynthesis("test", stream, "small");
  ASSERT_TRUE(synthesis.ok()) << synthesis.status().message();
  EXPECT_EQ(ModelIdOf(synthesis->file()), small);
  EXPECT_EQ(registry.Find(small)->size, "small");
  // A synthesis is no stream model, nor one of another size, codec or for another stream.
  EXPECT_EQ(registry.FindSynthesis("other", stream, "small").status().code(),
            StatusCode::kModelMissing);
  EXPECT_EQ(registry.FindStreamModel(small).status().code(), StatusCode::kModelMissing);
  EXPECT_EQ(registry.FindSynthesis("test", stream, "large").status().code(),
            StatusCode::kModelMissing);
  EXPECT_EQ(registry.FindSynthesis("test", small, "small").status().code(),
            StatusCode::kModelMissing);
}

TEST_F(RegistryTest, EntropyModelsAreFoundByStreamAndSizeOrId) {
  const auto save = [&](const std::string& name, const std::string& version,
                        const std::string& size = "") {
    return Save(name, ModelFile({{"godwit.kind", "entropy"},
                                 {"godwit.version", version},
                                 {"godwit.entropy.size", size},
                                 {"godwit.entropy.stream", ModelIdHex(77)}}));
  };
  const uint64_t old = save("a.safetensors", "9"), newest = save("b.safetensors", "10");
  const uint64_t mid = save("d.safetensors", "11", "mid");
  Save("c.safetensors", ModelFile({{"godwit.kind", "entropy"}}));  // of no stream model
  ModelRegistry registry;
  ASSERT_TRUE(registry.AddFolder(folder_).ok());
  EXPECT_EQ(ModelIdOf(registry.FindEntropy(77, "full")->file()), newest);
  EXPECT_EQ(ModelIdOf(registry.FindEntropy(77, "mid")->file()), mid);
  EXPECT_EQ(ModelIdOf(registry.FindEntropy(77, static_cast<uint32_t>(old))->file()), old);
  EXPECT_EQ(registry.FindEntropyEntry(77, static_cast<uint32_t>(old))->size, "full");
  EXPECT_EQ(registry.FindEntropyEntry(77, static_cast<uint32_t>(mid))->size, "mid");
  EXPECT_EQ(registry.FindEntropyEntry(78, static_cast<uint32_t>(mid)), nullptr);
  const Status missing = registry.FindEntropy(77, 0x67452301).status();
  EXPECT_EQ(missing.code(), StatusCode::kModelMissing);
  EXPECT_NE(missing.message().find("01234567 "), std::string::npos) << missing.message();
  EXPECT_EQ(registry.FindEntropy(78, "full").status().code(), StatusCode::kModelMissing);
}

TEST_F(RegistryTest, WhatIsMissingIsNamedWithThePlaces) {
  ModelRegistry registry;
  ASSERT_TRUE(registry.AddFolder(folder_).ok());
  const Status status = registry.FindStreamModel(0x0123456789abcdef).status();
  EXPECT_EQ(status.code(), StatusCode::kModelMissing);
  EXPECT_NE(status.message().find("efcdab8967452301"), std::string::npos);
  EXPECT_NE(status.message().find("the program, " + folder_), std::string::npos);
}

TEST_F(RegistryTest, DamagedFilesAreListedAndNeverFound) {
  Bytes whole = ModelFile({{"godwit.kind", "stream"}});
  whole.pop_back();
  const uint64_t cut = Save("cut.safetensors", whole);
  const uint64_t odd = Save("odd.safetensors", ModelFile({{"godwit.kind", "poem"}}));
  Save("vague.safetensors", ModelFile({{"godwit.kind", "synthesis"}}));
  Save("empty.safetensors", {});
  Save("readme.md", Bytes(5));
  std::filesystem::create_directory(folder_ + "/folder.safetensors");
  ModelRegistry registry;
  ASSERT_TRUE(registry.AddFolder(folder_).ok());
  size_t damaged = 0;
  for (const ModelEntry& entry : registry.List()) {
    if (entry.path.empty()) continue;
    EXPECT_FALSE(entry.status.ok()) << entry.file;
    ++damaged;
  }
  EXPECT_EQ(damaged, 5u);
  EXPECT_EQ(registry.FindStreamModel(cut).status().code(), StatusCode::kModelMissing);
  EXPECT_EQ(registry.FindStreamModel(odd).status().code(), StatusCode::kModelMissing);
  EXPECT_EQ(ReadModelFile(folder_ + "/cut.safetensors").status().code(), StatusCode::kModelRefused);
  EXPECT_EQ(ReadModelFile(folder_ + "/absent").status().code(), StatusCode::kUnreadable);
  EXPECT_EQ(ReadModelFile(folder_).status().code(), StatusCode::kUnreadable);
}

TEST_F(RegistryTest, TheDefaultIsTheMarkedOneElseTheNewest) {
  const auto stream = [](const char* version, const char* is_default) {
    return ModelFile(
        {{"godwit.kind", "stream"}, {"godwit.version", version}, {"godwit.default", is_default}});
  };
  const uint64_t newest = Save("one/a.safetensors", stream("10", "0"));
  Save("one/b.safetensors", stream("9", "0"));
  Save("two/a.safetensors", stream("12", "0"));
  const uint64_t marked = Save("two/b.safetensors", stream("11", "1"));
  ModelRegistry one_first, two_first;
  ASSERT_TRUE(one_first.AddFolder(folder_ + "/one").ok());
  ASSERT_TRUE(one_first.AddFolder(folder_ + "/two").ok());
  ASSERT_TRUE(two_first.AddFolder(folder_ + "/two").ok());
  EXPECT_EQ(*one_first.DefaultStreamModel("test"), newest);
  EXPECT_EQ(*two_first.DefaultStreamModel("test"), marked);
  EXPECT_EQ(one_first.DefaultStreamModel("other").status().code(), StatusCode::kModelMissing);
}

TEST_F(RegistryTest, FoldersOfTheEnvironmentAreLookedAt) {
  const uint64_t stream = Save("here/a.safetensors", ModelFile({{"godwit.kind", "stream"}}));
  ::setenv("GODWIT_MODELS", (folder_ + "/absent::" + folder_ + "/here").c_str(), 1);
  ModelRegistry registry;
  registry.AddDefaultFolders();
  ::unsetenv("GODWIT_MODELS");
  EXPECT_TRUE(registry.FindStreamModel(stream).ok());
  EXPECT_EQ(registry.AddFolder(folder_ + "/absent").code(), StatusCode::kUnreadable);
}

}  // namespace
}  // namespace godwit
