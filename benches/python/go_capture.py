"""Random games of Go on a small board, played to the end and scored: flood fill over lists and sets, with captures and the ko rule."""

N = 160
QUICK = 2

SIZE = 9
EMPTY, BLACK, WHITE = 0, 1, 2


def neighbours_of(point):
    row, column = divmod(point, SIZE)
    found = []
    if row > 0:
        found.append(point - SIZE)
    if row < SIZE - 1:
        found.append(point + SIZE)
    if column > 0:
        found.append(point - 1)
    if column < SIZE - 1:
        found.append(point + 1)
    return found


NEIGHBOURS = [neighbours_of(point) for point in range(SIZE * SIZE)]


class Randoms:
    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        return (self.state >> 33) % limit


class Board:
    def __init__(self):
        self.stones = [EMPTY] * (SIZE * SIZE)
        self.ko = None
        self.captured = [0, 0, 0]

    def group(self, start):
        """The stones connected with the one at `start`, and their liberties."""
        colour = self.stones[start]
        stones, liberties, pending = {start}, set(), [start]
        while pending:
            for point in NEIGHBOURS[pending.pop()]:
                stone = self.stones[point]
                if stone == EMPTY:
                    liberties.add(point)
                elif stone == colour and point not in stones:
                    stones.add(point)
                    pending.append(point)
        return stones, liberties

    def is_eye(self, point, colour):
        return all(self.stones[other] == colour for other in NEIGHBOURS[point])

    def play(self, point, colour):
        """False when the move is not allowed, or would fill an eye."""
        if self.stones[point] != EMPTY or point == self.ko or self.is_eye(point, colour):
            return False
        self.stones[point] = colour
        taken = set()
        for other in NEIGHBOURS[point]:
            if self.stones[other] == 3 - colour and other not in taken:
                stones, liberties = self.group(other)
                if not liberties:
                    taken |= stones
        if not taken and not self.group(point)[1]:
            self.stones[point] = EMPTY
            return False
        for other in taken:
            self.stones[other] = EMPTY
        self.captured[colour] += len(taken)
        self.ko = next(iter(taken)) if len(taken) == 1 and len(self.group(point)[0]) == 1 else None
        return True

    def score(self):
        black = self.stones.count(BLACK)
        white = self.stones.count(WHITE)
        for point, stone in enumerate(self.stones):
            if stone == EMPTY:
                around = {self.stones[other] for other in NEIGHBOURS[point]}
                black += around == {BLACK}
                white += around == {WHITE}
        return black - white


def game(seed):
    randoms = Randoms(seed)
    board = Board()
    colour, passes, moves = BLACK, 0, 0
    while passes < 2 and moves < 3 * SIZE * SIZE:
        candidates = [point for point, stone in enumerate(board.stones) if stone == EMPTY]
        while candidates:
            idx = randoms.below(len(candidates))
            if board.play(candidates[idx], colour):
                passes = 0
                break
            candidates[idx] = candidates[-1]
            candidates.pop()
        else:
            passes += 1
            board.ko = None
        colour = 3 - colour
        moves += 1
    return moves, board.score(), board.captured[BLACK], board.captured[WHITE]


def run(n):
    results = [game(seed) for seed in range(1, n + 1)]
    return " ".join(str(sum(column)) for column in zip(*results))
