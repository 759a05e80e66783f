/* Names that are mangled: of members, templates, and with arguments. */
#include "probe.h"

#include <utility>

namespace shop
{
template <typename Item> class Basket
{
  public:
    __attribute__((noinline)) void fill(Item item, const char *label)
    {
        last = item;
        text = label;
        probe_stack(); // FILL
        last = item;
    }

  private:
    Item last{};
    const char *text = nullptr;
};
} // namespace shop

static __attribute__((noinline)) int buy(std::pair<int, long> what)
{
    shop::Basket<int> basket;
    basket.fill(what.first, "apples"); // BUY
    return static_cast<int>(what.second);
}

int main()
{
    return buy({1, 2}) - 2; // MAIN
}
