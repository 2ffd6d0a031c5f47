"""A puzzle on a hexagonal board, solved by constraint propagation and search: sets of candidates that are copied and cut down.

Each cell holds a tile or nothing; the number on a tile says how many tiles stand beside it. The given tiles are placed so that all
numbers are right.
"""

N = 8
QUICK = 1

EMPTY = 7


def hexagon(radius):
    cells = [
        (q, r) for q in range(-radius, radius + 1) for r in range(-radius, radius + 1) if abs(q + r) <= radius
    ]
    index = {cell: idx for idx, cell in enumerate(cells)}
    steps = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1))
    return [[index[q + dq, r + dr] for dq, dr in steps if (q + dq, r + dr) in index] for q, r in cells]


def tiles_of(board, filled):
    """How many tiles of each number the board with those cells filled needs."""
    tiles = [0] * 8
    for cell, neighbours in enumerate(board):
        tiles[sum(filled[other] for other in neighbours) if filled[cell] else EMPTY] += 1
    return tiles


class Solver:
    def __init__(self, board, tiles):
        self.board = board
        self.tiles = tiles
        self.nodes = 0
        self.solutions = 0

    def propagate(self, options):
        """Removes what cannot be; False when a cell has nothing left or the tiles do not suffice."""
        changed = True
        while changed:
            changed = False
            for cell, possible in enumerate(options):
                surely = maybe = 0
                for other in self.board[cell]:
                    around = options[other]
                    if EMPTY not in around:
                        surely += 1
                        maybe += 1
                    elif len(around) > 1:
                        maybe += 1
                kept = {tile for tile in possible if tile == EMPTY or surely <= tile <= maybe}
                if not kept:
                    return False
                if len(kept) == 1 and EMPTY not in kept:
                    changed |= self.force_neighbours(options, cell, next(iter(kept)), surely, maybe)
                if len(kept) < len(possible):
                    options[cell] = kept
                    changed = True
            for tile, wanted in enumerate(self.tiles):
                fixed = [cell for cell, possible in enumerate(options) if possible == {tile}]
                open_cells = [cell for cell, possible in enumerate(options) if tile in possible]
                if len(fixed) > wanted or len(open_cells) < wanted:
                    return False
                if len(fixed) == wanted and len(open_cells) > wanted:
                    for cell in open_cells:
                        if len(options[cell]) > 1:
                            options[cell] = options[cell] - {tile}
                    changed = True
                elif len(open_cells) == wanted and len(fixed) < wanted:
                    for cell in open_cells:
                        options[cell] = {tile}
                    changed = True
        return all(options)

    def force_neighbours(self, options, cell, tile, surely, maybe):
        changed = False
        for other in self.board[cell]:
            around = options[other]
            if EMPTY in around and len(around) > 1:
                if tile == surely:
                    options[other] = {EMPTY}
                    return True
                if tile == maybe:
                    options[other] = around - {EMPTY}
                    changed = True
        return changed

    def search(self, options, most):
        self.nodes += 1
        if not self.propagate(options):
            return
        open_cells = [cell for cell, possible in enumerate(options) if len(possible) > 1]
        if not open_cells:
            self.solutions += 1
            return
        cell = min(open_cells, key=lambda idx: (len(options[idx]), idx))
        for tile in sorted(options[cell]):
            branch = list(options)
            branch[cell] = {tile}
            self.search(branch, most)
            if self.solutions >= most:
                return


def run(n):
    board = hexagon(2)
    state = 2024
    results = []
    for _ in range(n):
        filled = []
        for _ in board:
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            filled.append(1 if (state >> 16) % 5 < 3 else 0)
        tiles = tiles_of(board, filled)
        solver = Solver(board, tiles)
        possible = {tile for tile, wanted in enumerate(tiles) if wanted}
        solver.search([set(possible) for _ in board], 40)
        results.append("%d/%d" % (solver.solutions, solver.nodes))
    return " ".join(results)
