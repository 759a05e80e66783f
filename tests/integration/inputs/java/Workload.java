import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** Direct buffers and zlib use malloc, and so do the compilers that run beside the program. */
public final class Workload {
    private static final int TASKS = 24;

    private long state;

    private Workload(long seed) {
        state = seed;
    }

    private int next(int limit) {
        state = state * 6364136223846793005L + 1442695040888963407L;
        return (int) ((state >>> 33) % limit);
    }

    private static long checksum(byte[] bytes) {
        CRC32 sum = new CRC32();
        sum.update(bytes);
        return sum.getValue();
    }

    private long deflateAndInflate() throws DataFormatException {
        byte[] plain = IntStream.range(0, 2000 + next(3000)).mapToObj(n -> "line " + n * 7 % 101)
                .collect(Collectors.joining("\n")).getBytes();
        Deflater deflater = new Deflater(1 + next(9));
        deflater.setInput(plain);
        deflater.finish();
        byte[] packed = new byte[plain.length + 100];
        int used = deflater.deflate(packed);
        deflater.end();
        Inflater inflater = new Inflater();
        inflater.setInput(packed, 0, used);
        byte[] back = new byte[plain.length];
        inflater.inflate(back);
        inflater.end();
        return checksum(back) == checksum(plain) ? checksum(back) : -1;
    }

    private long directBuffers() {
        long sum = 0;
        List<ByteBuffer> kept = new ArrayList<>();
        for (int round = 0; round < 150; round++) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 + next(60_000));
            for (int place = 0; place < buffer.capacity(); place += 97) {
                buffer.put(place, (byte) (round + place));
            }
            kept.add(buffer);
            if (kept.size() > 20) {
                ByteBuffer old = kept.remove(next(kept.size()));
                sum += old.get(old.capacity() / 97 * 97 / 2) + old.capacity();
            }
        }
        return sum;
    }

    private long collections() {
        Map<String, List<Integer>> lists = new TreeMap<>();
        for (int round = 0; round < 20_000; round++) {
            lists.computeIfAbsent("key" + next(700), key -> new ArrayList<>()).add(round);
        }
        Pattern pattern = Pattern.compile("key(\\d+)5=\\[(\\d+), (\\d+)");
        return pattern.matcher(lists.toString()).results()
                .mapToLong(match -> Long.parseLong(match.group(1) + match.group(3))).sum();
    }

    private static long throughFile(byte[] content) throws IOException {
        Path path = Path.of("channel.bin");
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE,
                StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            for (int part = 0; part < 50; part++) {
                channel.write(ByteBuffer.wrap(content), (long) part * content.length);
            }
            return checksum(Files.readAllBytes(path));
        }
    }

    private static String task(int number, Map<Integer, Long> shared) throws DataFormatException {
        Workload work = new Workload(number);
        long packed = work.deflateAndInflate();
        long direct = work.directBuffers();
        long found = work.collections();
        shared.merge(number % 5, packed ^ direct ^ found, Long::sum);
        return "task " + number + " " + packed + " " + direct + " " + found;
    }

    private static long manyThreads() throws InterruptedException {
        long[] sums = new long[200];
        for (int first = 0; first < sums.length; first += 20) {
            List<Thread> threads = new ArrayList<>();
            for (int index = first; index < first + 20; index++) {
                int place = index;
                threads.add(new Thread(() -> sums[place] = new Workload(place).next(1000)));
            }
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
        }
        return IntStream.range(0, sums.length).mapToLong(index -> sums[index] * index).sum();
    }

    public static void main(String[] arguments) throws Exception {
        Map<Integer, Long> shared = new ConcurrentHashMap<>();
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<String>> answers = new ArrayList<>();
        for (int number = 0; number < TASKS; number++) {
            int mine = number;
            answers.add(pool.submit(() -> task(mine, shared)));
        }
        for (Future<String> answer : answers) {
            System.out.println(answer.get());
        }
        pool.shutdown();
        System.out.println("shared " + new TreeMap<>(shared));
        System.out.println("threads " + manyThreads());
        System.out.println("file " + throughFile("content of a file\n".repeat(3000).getBytes()));
        System.out.println("end of workload");
    }
}
