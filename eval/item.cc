#include "eval/item.h"

namespace godwit {

ItemView ViewOf(const Item& item) {
  if (const auto* const picture = std::get_if<Tensor<uint8_t>>(&item)) return picture->view();
  if (const auto* const sound = std::get_if<Sound>(&item)) return sound;
  return std::get_if<NdArray>(&item);
}

MutableItemView ViewOf(Item& item) {
  if (auto* const picture = std::get_if<Tensor<uint8_t>>(&item)) return picture->view();
  if (auto* const sound = std::get_if<Sound>(&item)) return sound;
  return std::get_if<NdArray>(&item);
}

Item BlankLike(const ItemView& item) {
  if (MediumOf(item) == Medium::kPicture) {
    const TensorView<const uint8_t> picture = PictureOf(item);
    return Tensor<uint8_t>(picture.height, picture.width, picture.channels);
  }
  if (MediumOf(item) == Medium::kSound) {
    const Sound& sound = SoundOf(item);
    return Sound{sound.rate_hz, sound.channels, sound.bits,
                 std::vector<float>(sound.samples.size())};
  }
  const NdArray& array = ArrayOf(item);
  return NdArray{array.type, array.shape, std::vector<std::byte>(array.data.size())};
}

}  // namespace godwit
