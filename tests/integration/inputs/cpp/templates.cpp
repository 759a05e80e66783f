// Work for a compiler: recursion over types, tuples, variants and the heavier standard headers.
// The program's output is fixed; it allocates through every form of new on the way.

#include <algorithm>
#include <any>
#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace types {

template <int Value> struct number : std::integral_constant<int, Value> {};

template <class... Members> struct list {};

template <class Left, class Right> struct join;
template <class... Left, class... Right> struct join<list<Left...>, list<Right...>> {
    using type = list<Left..., Right...>;
};

template <int Pivot, bool Below, class List> struct keep;
template <int Pivot, bool Below> struct keep<Pivot, Below, list<>> { using type = list<>; };
template <int Pivot, bool Below, class First, class... Rest>
struct keep<Pivot, Below, list<First, Rest...>> {
    using rest = typename keep<Pivot, Below, list<Rest...>>::type;
    using type = std::conditional_t<(First::value < Pivot) == Below,
                                    typename join<list<First>, rest>::type, rest>;
};

template <class List> struct sort;
template <> struct sort<list<>> { using type = list<>; };
template <class First, class... Rest> struct sort<list<First, Rest...>> {
    using below = typename sort<typename keep<First::value, true, list<Rest...>>::type>::type;
    using above = typename sort<typename keep<First::value, false, list<Rest...>>::type>::type;
    using type = typename join<typename join<below, list<First>>::type, above>::type;
};

template <class Sequence> struct scatter;
template <int... Index> struct scatter<std::integer_sequence<int, Index...>> {
    using type = list<number<Index * 37 % 101>...>;
};

template <class... Members> int weigh(list<Members...>)
{
    int place = 0, sum = 0;
    ((sum += ++place * Members::value), ...);
    return sum;
}

int sorted_weight()
{
    using scattered = scatter<std::make_integer_sequence<int, 80>>::type;
    return weigh(sort<scattered>::type{});
}

} // namespace types

namespace grid {

template <std::size_t Rows, std::size_t Columns> struct matrix {
    std::array<std::array<std::int64_t, Columns>, Rows> cell{};

    constexpr static matrix make(int seed)
    {
        matrix made;
        for (std::size_t row = 0; row < Rows; row++)
            for (std::size_t column = 0; column < Columns; column++)
                made.cell[row][column] = std::int64_t((row * 7 + column * 3) % 11) + seed;
        return made;
    }
};

template <std::size_t A, std::size_t B, std::size_t C>
constexpr matrix<A, C> operator*(const matrix<A, B> &left, const matrix<B, C> &right)
{
    matrix<A, C> product;
    for (std::size_t row = 0; row < A; row++)
        for (std::size_t column = 0; column < C; column++)
            for (std::size_t inner = 0; inner < B; inner++)
                product.cell[row][column] += left.cell[row][inner] * right.cell[inner][column];
    return product;
}

template <std::size_t Size> std::int64_t trace()
{
    constexpr auto left = matrix<Size, Size + 1>::make(1);
    constexpr auto right = matrix<Size + 1, Size>::make(2);
    constexpr auto product = left * right;
    std::int64_t sum = 0;
    for (std::size_t index = 0; index < Size; index++)
        sum += product.cell[index][index];
    return sum;
}

template <std::size_t... Size> std::int64_t all_traces(std::index_sequence<Size...>)
{
    return (trace<Size + 1>() + ...);
}

} // namespace grid

namespace tree {

struct leaf { int value; };
struct sum;
struct product;
using node = std::variant<leaf, std::unique_ptr<sum>, std::unique_ptr<product>>;
struct sum { node left, right; };
struct product { node left, right; };

node build(int depth, int value)
{
    if (depth == 0)
        return leaf{value % 5 + 1};
    if (depth % 3 == 0)
        return std::make_unique<product>(product{build(depth - 1, value), leaf{value % 3}});
    return std::make_unique<sum>(sum{build(depth - 1, value + 1), build(depth - 1, value + 2)});
}

struct evaluate {
    std::int64_t operator()(const leaf &one) const { return one.value; }
    template <class Inner> std::int64_t operator()(const std::unique_ptr<Inner> &inner) const
    {
        std::int64_t left = std::visit(*this, inner->left), right = std::visit(*this, inner->right);
        return std::is_same_v<Inner, sum> ? left + right : left * right % 1009;
    }
};

} // namespace tree

struct alignas(128) wide { unsigned char bytes[384]; };

static std::size_t use_every_new()
{
    std::size_t found = 0;
    for (int round = 0; round < 500; round++) {
        std::unique_ptr<wide> one(new wide);
        std::unique_ptr<wide[]> many(new wide[std::size_t(round % 7 + 1)]);
        std::unique_ptr<int> plain(new (std::nothrow) int(round));
        found += (reinterpret_cast<std::uintptr_t>(one.get()) % 128 == 0);
        found += (reinterpret_cast<std::uintptr_t>(many.get()) % 128 == 0) + (plain != nullptr);
    }
    try {
        volatile std::size_t more_than_there_is = PTRDIFF_MAX;
        ::operator delete(::operator new(more_than_there_is));
    } catch (const std::bad_alloc &) {
        found += 1;
    }
    return found;
}

static std::size_t count_words()
{
    std::ostringstream text;
    for (int index = 0; index < 3000; index++)
        text << "word" << index * 17 % 211 << (index % 9 ? " " : ";\n");
    std::string all = text.str();
    std::regex pattern("word([0-9]+)[ ;]");
    std::map<std::string, std::vector<int>> places;
    std::unordered_map<int, std::any> values;
    for (std::sregex_iterator match(all.begin(), all.end(), pattern), end; match != end; ++match) {
        places[(*match)[1].str()].push_back(int(match->position()));
        values[int(match->position())] = (*match)[0].str();
    }
    std::size_t total = places.size();
    for (auto &[word, list] : places)
        total += std::size_t(std::accumulate(list.begin(), list.end(), 0)) % 97 + word.size();
    return total + std::any_cast<std::string>(values.at(0)).size();
}

static std::int64_t fill_map(int part)
{
    std::map<int, std::string> filled;
    for (int key = 0; key < 2000; key++)
        filled.emplace(key * 31 % 2003, std::string(std::size_t(key % 60), 'x'));
    std::int64_t sum = part;
    for (auto &entry : filled)
        sum += entry.first * std::int64_t(entry.second.size());
    return sum;
}

static std::int64_t sum_in_threads()
{
    std::array<std::int64_t, 16> sums{};
    std::vector<std::thread> threads;
    for (int part = 0; part < int(sums.size()); part++)
        threads.emplace_back([part, &sums] { sums[std::size_t(part)] = fill_map(part); });
    for (auto &thread : threads)
        thread.join();
    return std::accumulate(sums.begin(), sums.end(), std::int64_t(0));
}

int main()
{
    std::printf("types %d\n", types::sorted_weight());
    std::printf("grid %lld\n", (long long)grid::all_traces(std::make_index_sequence<14>{}));
    std::printf("tree %lld\n", (long long)std::visit(tree::evaluate{}, tree::build(16, 1)));
    std::printf("new %zu\n", use_every_new());
    std::printf("words %zu\n", count_words());
    std::printf("threads %lld\n", (long long)sum_in_threads());
    std::puts("end of workload");
}
