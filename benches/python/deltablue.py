"""An incremental solver of one-way constraints with strengths (the DeltaBlue algorithm): polymorphic methods on linked objects."""

N = 9000
QUICK = 20

REQUIRED, STRONG_PREFERRED, PREFERRED, STRONG_DEFAULT, NORMAL, WEAK_DEFAULT, WEAKEST = range(7)
NONE, FORWARD, BACKWARD = range(3)


class Variable:
    def __init__(self, name, value=0):
        self.name = name
        self.value = value
        self.constraints = []
        self.determined_by = None
        self.mark = 0
        self.walk_strength = WEAKEST
        self.stay = True


class Constraint:
    def __init__(self, strength):
        self.strength = strength

    def post(self, planner):
        self.attach()
        planner.incremental_add(self)

    def destroy(self, planner):
        if self.is_satisfied():
            planner.incremental_remove(self)
        else:
            self.detach()

    def is_input(self):
        return False

    def satisfy(self, planner, mark):
        self.choose_method(mark)
        if not self.is_satisfied():
            if self.strength == REQUIRED:
                raise ValueError("a required constraint cannot be satisfied")
            return None
        for variable in self.inputs():
            variable.mark = mark
        output = self.output()
        overridden = output.determined_by
        if overridden is not None:
            overridden.mark_unsatisfied()
        output.determined_by = self
        if not planner.propagate(self, mark):
            raise ValueError("the constraints have a cycle")
        output.mark = mark
        return overridden

    def inputs_known(self, mark):
        return all(
            variable.mark == mark or variable.stay or variable.determined_by is None for variable in self.inputs()
        )


class Unary(Constraint):
    def __init__(self, variable, strength, planner):
        super().__init__(strength)
        self.variable = variable
        self.satisfied = False
        self.post(planner)

    def attach(self):
        self.variable.constraints.append(self)
        self.satisfied = False

    def detach(self):
        self.variable.constraints.remove(self)
        self.satisfied = False

    def choose_method(self, mark):
        self.satisfied = self.variable.mark != mark and self.strength < self.variable.walk_strength

    def is_satisfied(self):
        return self.satisfied

    def mark_unsatisfied(self):
        self.satisfied = False

    def inputs(self):
        return ()

    def output(self):
        return self.variable

    def recalculate(self):
        self.variable.walk_strength = self.strength
        self.variable.stay = not self.is_input()
        if self.variable.stay:
            self.execute()

    def execute(self):
        pass


class Stay(Unary):
    pass


class Edit(Unary):
    def is_input(self):
        return True


class Binary(Constraint):
    def __init__(self, first, second, strength, planner):
        super().__init__(strength)
        self.first = first
        self.second = second
        self.direction = NONE
        self.post(planner)

    def attach(self):
        self.first.constraints.append(self)
        self.second.constraints.append(self)
        self.direction = NONE

    def detach(self):
        self.first.constraints.remove(self)
        self.second.constraints.remove(self)
        self.direction = NONE

    def choose_method(self, mark):
        first, second = self.first, self.second
        if first.mark == mark:
            wins = second.mark != mark and self.strength < second.walk_strength
            self.direction = FORWARD if wins else NONE
        elif second.mark == mark:
            self.direction = BACKWARD if self.strength < first.walk_strength else NONE
        elif first.walk_strength > second.walk_strength:
            self.direction = BACKWARD if self.strength < first.walk_strength else NONE
        else:
            self.direction = FORWARD if self.strength < second.walk_strength else NONE

    def is_satisfied(self):
        return self.direction != NONE

    def mark_unsatisfied(self):
        self.direction = NONE

    def inputs(self):
        return (self.first,) if self.direction == FORWARD else (self.second,)

    def output(self):
        return self.second if self.direction == FORWARD else self.first

    def recalculate(self):
        source = self.inputs()[0]
        output = self.output()
        output.walk_strength = max(self.strength, source.walk_strength)
        output.stay = source.stay
        if output.stay:
            self.execute()


class Equal(Binary):
    def execute(self):
        self.output().value = self.inputs()[0].value


class Scaled(Binary):
    """second = first * scale + offset"""

    def __init__(self, first, scale, offset, second, strength, planner):
        self.scale = scale
        self.offset = offset
        super().__init__(first, second, strength, planner)

    def attach(self):
        super().attach()
        self.scale.constraints.append(self)
        self.offset.constraints.append(self)

    def detach(self):
        super().detach()
        self.scale.constraints.remove(self)
        self.offset.constraints.remove(self)

    def inputs(self):
        return super().inputs() + (self.scale, self.offset)

    def recalculate(self):
        source, scale, offset = self.inputs()
        output = self.output()
        output.walk_strength = max(self.strength, source.walk_strength)
        output.stay = source.stay and scale.stay and offset.stay
        if output.stay:
            self.execute()

    def execute(self):
        if self.direction == FORWARD:
            self.second.value = self.first.value * self.scale.value + self.offset.value
        else:
            self.first.value = (self.second.value - self.offset.value) // self.scale.value


class Planner:
    def __init__(self):
        self.mark = 0

    def new_mark(self):
        self.mark += 1
        return self.mark

    def incremental_add(self, constraint):
        mark = self.new_mark()
        overridden = constraint.satisfy(self, mark)
        while overridden is not None:
            overridden = overridden.satisfy(self, mark)

    def incremental_remove(self, constraint):
        output = constraint.output()
        constraint.mark_unsatisfied()
        constraint.detach()
        unsatisfied = self.remove_downstream(output)
        for strength in range(REQUIRED, WEAKEST + 1):
            for other in unsatisfied:
                if other.strength == strength:
                    self.incremental_add(other)

    def remove_downstream(self, output):
        output.determined_by = None
        output.walk_strength = WEAKEST
        output.stay = True
        unsatisfied = []
        pending = [output]
        while pending:
            variable = pending.pop()
            for constraint in variable.constraints:
                if not constraint.is_satisfied():
                    unsatisfied.append(constraint)
                elif constraint is not variable.determined_by:
                    constraint.recalculate()
                    pending.append(constraint.output())
        return unsatisfied

    def propagate(self, constraint, mark):
        pending = [constraint]
        while pending:
            current = pending.pop()
            output = current.output()
            if output.mark == mark:
                self.incremental_remove(constraint)
                return False
            current.recalculate()
            pending.extend(self.consumers(output))
        return True

    def consumers(self, variable):
        by = variable.determined_by
        return [other for other in variable.constraints if other is not by and other.is_satisfied()]

    def plan_from(self, sources):
        mark = self.new_mark()
        plan = []
        pending = [constraint for constraint in sources if constraint.is_input() and constraint.is_satisfied()]
        while pending:
            constraint = pending.pop()
            output = constraint.output()
            if output.mark != mark and constraint.inputs_known(mark):
                plan.append(constraint)
                output.mark = mark
                pending.extend(self.consumers(output))
        return plan

    def change(self, variable, values):
        edit = Edit(variable, PREFERRED, self)
        plan = self.plan_from([edit])
        for value in values:
            variable.value = value
            for constraint in plan:
                constraint.execute()
        edit.destroy(self)


def chain(n):
    planner = Planner()
    variables = [Variable("v%d" % idx) for idx in range(n + 1)]
    for first, second in zip(variables, variables[1:]):
        Equal(first, second, REQUIRED, planner)
    Stay(variables[-1], STRONG_DEFAULT, planner)
    planner.change(variables[0], range(60))
    assert variables[-1].value == 59
    return sum(variable.value for variable in variables)


def projection(n):
    planner = Planner()
    scale, offset = Variable("scale", 10), Variable("offset", 1000)
    sources, targets = [], []
    for idx in range(n):
        source, target = Variable("source", idx), Variable("target", idx)
        sources.append(source)
        targets.append(target)
        Stay(source, NORMAL, planner)
        Scaled(source, scale, offset, target, REQUIRED, planner)
    planner.change(sources[0], [17])
    assert targets[0].value == 1170
    planner.change(targets[0], [1050])
    assert sources[0].value == 5
    planner.change(scale, [5])
    planner.change(offset, [2000])
    assert all(target.value == source.value * 5 + 2000 for source, target in zip(sources, targets))
    return sum(target.value for target in targets)


def run(n):
    return "%d %d" % (chain(n), projection(n * 3))
