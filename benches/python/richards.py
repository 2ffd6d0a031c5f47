"""An operating system's scheduler with tasks, packets and devices: small classes, method dispatch and linked lists.

The model is the well-known one of Martin Richards: an idle task, a worker, two handlers and two devices that pass packets.
"""

N = 4
QUICK = 1

IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = range(6)
WORK, DEVICE = range(2)
PACKET_SIZE = 4


class Packet:
    def __init__(self, link, ident, kind):
        self.link = link
        self.ident = ident
        self.kind = kind
        self.number = 0
        self.data = [0] * PACKET_SIZE

    def append_to(self, queue):
        self.link = None
        if queue is None:
            return self
        last = queue
        while last.link is not None:
            last = last.link
        last.link = self
        return queue


class Task:
    def __init__(self, scheduler, ident, priority, queue, held=False):
        self.scheduler = scheduler
        self.ident = ident
        self.priority = priority
        self.queue = queue
        self.pending = queue is not None
        self.waiting = queue is None and not held
        self.held = held

    def add_packet(self, packet, sender):
        if self.queue is None:
            self.queue = packet
            packet.link = None
            self.pending = True
            if self.priority > sender.priority:
                return self
        else:
            self.queue = packet.append_to(self.queue)
            self.pending = True
        return sender

    def is_blocked(self):
        return self.held or (self.waiting and not self.pending)

    def run_once(self):
        packet = None
        if self.waiting and self.pending:
            packet = self.queue
            self.queue = packet.link
            packet.link = None
            self.waiting = False
            self.pending = self.queue is not None
        elif self.pending and self.queue is not None and not self.waiting:
            packet = self.queue
            self.queue = packet.link
            packet.link = None
            self.pending = self.queue is not None
        return self.work(packet)

    def wait(self):
        self.waiting = True
        return self

    def hold(self):
        self.scheduler.n_holds += 1
        self.held = True
        return self.scheduler.after(self)

    def send(self, packet):
        target = self.scheduler.tasks[packet.ident]
        self.scheduler.n_queued += 1
        packet.ident = self.ident
        return target.add_packet(packet, self)


class Idle(Task):
    def __init__(self, scheduler, rounds):
        super().__init__(scheduler, IDLE, 0, None)
        self.waiting = False
        self.control = 1
        self.rounds = rounds

    def work(self, packet):
        self.rounds -= 1
        if self.rounds == 0:
            return self.hold()
        if self.control & 1:
            self.control = self.control // 2 ^ 0xD008
            return self.scheduler.release(HANDLER_B, self)
        self.control //= 2
        return self.scheduler.release(HANDLER_A, self)


class Worker(Task):
    def __init__(self, scheduler, queue):
        super().__init__(scheduler, WORKER, 1000, queue)
        self.destination = HANDLER_A
        self.letter = 0

    def work(self, packet):
        if packet is None:
            return self.wait()
        self.destination = HANDLER_B if self.destination == HANDLER_A else HANDLER_A
        packet.ident = self.destination
        packet.number = 0
        for idx in range(PACKET_SIZE):
            self.letter = self.letter % 26 + 1
            packet.data[idx] = ord("A") + self.letter - 1
        return self.send(packet)


class Handler(Task):
    def __init__(self, scheduler, ident, priority, queue):
        super().__init__(scheduler, ident, priority, queue)
        self.works = None
        self.devices = None

    def work(self, packet):
        if packet is not None:
            if packet.kind == WORK:
                self.works = packet.append_to(self.works)
            else:
                self.devices = packet.append_to(self.devices)
        work = self.works
        if work is None:
            return self.wait()
        if work.number >= PACKET_SIZE:
            self.works = work.link
            return self.send(work)
        device = self.devices
        if device is None:
            return self.wait()
        self.devices = device.link
        device.number = work.data[work.number]
        work.number += 1
        return self.send(device)


class Device(Task):
    def __init__(self, scheduler, ident, priority):
        super().__init__(scheduler, ident, priority, None)
        self.busy_with = None

    def work(self, packet):
        if packet is None:
            if self.busy_with is None:
                return self.wait()
            finished = self.busy_with
            self.busy_with = None
            return self.send(finished)
        self.busy_with = packet
        self.scheduler.output = (self.scheduler.output * 31 + packet.number) % 1000003
        return self.hold()


class Scheduler:
    def __init__(self, rounds):
        self.n_holds = 0
        self.n_queued = 0
        self.output = 7
        self.tasks = {}
        works = Packet(Packet(None, WORKER, WORK), WORKER, WORK)
        self.add(Idle(self, rounds))
        self.add(Worker(self, works))
        for handler, device, priority in ((HANDLER_A, DEVICE_A, 2000), (HANDLER_B, DEVICE_B, 3000)):
            packets = None
            for _ in range(3):
                packets = Packet(packets, device, DEVICE)
            self.add(Handler(self, handler, priority, packets))
        self.add(Device(self, DEVICE_A, 4000))
        self.add(Device(self, DEVICE_B, 5000))
        self.order = sorted(self.tasks.values(), key=lambda task: -task.priority)
        self.position = {task.ident: idx for idx, task in enumerate(self.order)}

    def add(self, task):
        self.tasks[task.ident] = task

    def after(self, task):
        place = self.position[task.ident] + 1
        return self.order[place] if place < len(self.order) else None

    def release(self, ident, sender):
        task = self.tasks[ident]
        task.held = False
        return task if task.priority > sender.priority else sender

    def run(self):
        task = self.order[0]
        steps = 0
        while task is not None:
            if task.is_blocked():
                task = self.after(task)
            else:
                steps += 1
                task = task.run_once()
                # A device that was held goes on when its time comes round again.
                if steps % 8 == 0:
                    for ident in (DEVICE_A, DEVICE_B):
                        if self.tasks[ident].held:
                            self.tasks[ident].held = False
                            task = self.order[0]
        return steps


def run(n):
    total = []
    for _ in range(n):
        scheduler = Scheduler(5000)
        total.append((scheduler.run(), scheduler.n_holds, scheduler.n_queued, scheduler.output))
    assert len(set(total)) == 1
    return "%d: %d %d %d %d" % ((n,) + total[0])
