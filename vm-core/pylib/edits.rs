//! What the crate's files say of another virtual machine, and small faults of the library's release that later ones do not
//! have: a file, its words, ours.

pub const EDITS: &[(&str, &str, &str)] = &[
    (
        "site.py",
        "return 'RustPython' # XXX: RUSTPYTHON; for site-packages",
        "return 'Python'",
    ),
    ("site.py", "    # XXX: RUSTPYTHON\n", ""),
    (
        "site.py",
        "/lib/rustpython{version[0]}",
        "/lib/python{version[0]}",
    ),
    (
        "sysconfig/__init__.py",
        "return 'RustPython'  # XXX: RUSTPYTHON; For site-packages",
        "return 'Python'",
    ),
    // An abstract test case is a base of test cases: it is not loaded.
    ("unittest/loader.py", "import os\n", "import inspect\nimport os\n"),
    (
        "unittest/loader.py",
        "        if testCaseClass in (case.TestCase, case.FunctionTestCase):\n",
        "        if _is_base_only(testCaseClass):\n",
    ),
    (
        "unittest/loader.py",
        "                and obj not in (case.TestCase, case.FunctionTestCase)\n            ):\n                tests",
        "                and not _is_base_only(obj)\n            ):\n                tests",
    ),
    (
        "unittest/loader.py",
        "            name = parts[-1]\n            inst = parent(name)\n",
        "            name = parts[-1]\n            if inspect.isabstract(parent):\n                raise TypeError(f\"Cannot instantiate \
         abstract test case {parent.__name__}\")\n            inst = parent(name)\n",
    ),
    (
        "unittest/loader.py",
        "class TestLoader(object):\n",
        "def _is_base_only(cls):\n    return cls in (case.TestCase, case.FunctionTestCase) or inspect.isabstract(cls)\n\n\nclass \
         TestLoader(object):\n",
    ),
    // The third argument of `property` is the deleter.
    (
        "unittest/mock.py",
        "                            __return_value_doc)\n",
        "                            None, __return_value_doc)\n",
    ),
    // `ExitStack` passes the file as well.
    (
        "unittest/mock.py",
        "    def _exit_side_effect(exctype, excinst, exctb):\n",
        "    def _exit_side_effect(*exc_details):\n",
    ),
    // An exit status may be anything that a caller says it is.
    (
        "subprocess.py",
        "        if self.returncode and self.returncode < 0:\n            try:\n                return \"Command '%s' died",
        "        if isinstance(self.returncode, int) and self.returncode < 0:\n            try:\n                return \"Command \
         '%s' died",
    ),
    (
        "subprocess.py",
        "returned non-zero exit status %d.\" % (",
        "returned non-zero exit status %s.\" % (",
    ),
    (
        "queue.py",
        "        if timeout is not None and timeout < 0:\n            raise ValueError(\"'timeout' must be a non-negative number\")\n        \
         if not self._count",
        "        if not block:\n            timeout = None\n        if timeout is not None and timeout < 0:\n            raise \
         ValueError(\"'timeout' must be a non-negative number\")\n        if not self._count",
    ),
    // The spec of a script is None.
    (
        "importlib/_bootstrap_external.py",
        "        elif spec is None:\n            raise ValueError('Module globals is missing a __spec__.loader')\n\n",
        "        elif spec is None and module_globals.get('__name__') != '__main__':\n            raise ValueError('Module globals \
         is missing a __spec__.loader')\n\n    if spec is None and module_globals.get('__name__') == '__main__':\n        return \
         loader\n\n",
    ),
    (
        "io.py",
        "# XXX: RUSTPYTHON; FileIO needs host_env, optional without it\ntry:\n    from _io import FileIO\nexcept ImportError:\n    \
         FileIO = None\n",
        "from _io import FileIO\n",
    ),
    (
        "io.py",
        "if FileIO is not None:  # XXX: RUSTPYTHON; see the try/except above\n    RawIOBase.register(FileIO)\n",
        "RawIOBase.register(FileIO)\n",
    ),
    ("traceback.py", "import codeop\n", ""),
    (
        "traceback.py",
        "        assert self._is_syntax_error\n",
        "        assert self._is_syntax_error\n        import codeop\n",
    ),
    // A pool whose last worker has gone and cannot be replaced is broken; its futures shall not wait for ever.
    (
        "concurrent/futures/process.py",
        "                if executor := self.executor_reference():\n                    if process_exited:\n                        with \
         self.shutdown_lock:\n                            executor._adjust_process_count()\n                    else:\n                        \
         executor._idle_worker_semaphore.release()\n                    del executor\n",
        "                if process_exited:\n                    with self.shutdown_lock:\n                        problem = \
         self._replace_worker()\n                    if problem is not None:\n                        self.terminate_broken(*problem)\n                        \
         return\n                elif executor := self.executor_reference():\n                    \
         executor._idle_worker_semaphore.release()\n                    del executor\n",
    ),
    (
        "concurrent/futures/process.py",
        "    def add_call_item_to_queue(self):\n",
        "    def _replace_worker(self):\n        # After a worker's last task, with the shutdown lock held: None, or the cause and\n        \
         # the message when what is pending can never run.\n        cause, message = None, None\n        executor = \
         self.executor_reference()\n        if executor is None:\n            message = 'The executor was garbage collected before its \
         pending work was done.'\n        elif executor._force_shutting_down:\n            message = 'The pool was forcefully shut down \
         before its pending work was done.'\n        elif ((self.pending_work_items or not self.is_shutting_down())\n              and \
         len(self.processes) < self._n_workers):\n            try:\n                _spawn_worker(executor, self.call_queue, \
         self.result_queue, self.processes)\n            except Exception as exc:\n                cause = format_exception(exc)\n                \
         message = 'A worker process that has ended could not be started anew.'\n        if self.processes or not \
         (self.pending_work_items or cause):\n            return None\n        return cause, message\n\n    def \
         add_call_item_to_queue(self):\n",
    ),
    (
        "concurrent/futures/process.py",
        "        self.max_tasks_per_child = executor._max_tasks_per_child\n",
        "        self.max_tasks_per_child = executor._max_tasks_per_child\n        self._n_workers = executor._max_workers\n",
    ),
    (
        "concurrent/futures/process.py",
        "class _ExecutorManagerThread(threading.Thread):\n",
        "def _spawn_worker(executor, call_queue, result_queue, processes):\n    p = executor._mp_context.Process(\n        \
         target=_process_worker,\n        args=(call_queue, result_queue, executor._initializer,\n              executor._initargs, \
         executor._max_tasks_per_child))\n    p.start()\n    processes[p.pid] = p\n\n\nclass \
         _ExecutorManagerThread(threading.Thread):\n",
    ),
    (
        "concurrent/futures/process.py",
        "    def _terminate_broken(self, cause):\n",
        "    def _terminate_broken(self, cause, message=None):\n",
    ),
    (
        "concurrent/futures/process.py",
        "    def terminate_broken(self, cause):\n        with self.shutdown_lock:\n            self._terminate_broken(cause)\n",
        "    def terminate_broken(self, cause, message=None):\n        with self.shutdown_lock:\n            \
         self._terminate_broken(cause, message)\n",
    ),
    (
        "concurrent/futures/process.py",
        "        self._cancel_pending_futures = False\n",
        "        self._cancel_pending_futures = False\n        self._force_shutting_down = False\n",
    ),
    (
        "concurrent/futures/process.py",
        "        # if there's an idle process, we don't need to spawn a new one.\n",
        "        if self._force_shutting_down:\n            return\n\n        # if there's an idle process, we don't need to spawn a \
         new one.\n",
    ),
    (
        "concurrent/futures/process.py",
        "        processes = {}\n        if self._processes:\n            processes = self._processes.copy()\n",
        "        with self._shutdown_lock:\n            self._force_shutting_down = True\n            processes = dict(self._processes or \
         {})\n",
    ),
    (
        "concurrent/futures/process.py",
        "        bpe = BrokenProcessPool(\"A process in the process pool was \"\n                                \"terminated abruptly while the \
         future was \"\n                                \"running or pending.\")\n        if cause is not None:\n            bpe.__cause__ = \
         _RemoteTraceback(\n                f\"\\n'''\\n{''.join(cause)}'''\")\n",
        "        message = message or ('A process in the process pool was terminated abruptly '\n                              'while the future \
         was running or pending.')\n        remote = cause and f\"\\n'''\\n{''.join(cause)}'''\"\n",
    ),
    (
        "concurrent/futures/process.py",
        "            try:\n                work_item.future.set_exception(bpe)\n",
        "            bpe = BrokenProcessPool(message)\n            if remote:\n                bpe.__cause__ = _RemoteTraceback(remote)\n            \
         try:\n                work_item.future.set_exception(bpe)\n",
    ),
    // Only digits are numbers of ISO 8601.
    (
        "_pydatetime.py",
        "def _parse_isoformat_date(dtstr):\n",
        "def _iso_number(text, n_digits):\n    if len(text) != n_digits or not (text.isascii() and text.isdigit()):\n        \
         raise ValueError(\"Invalid isoformat string\")\n    return int(text)\n\n\ndef _parse_isoformat_date(dtstr):\n",
    ),
    ("_pydatetime.py", "int(dtstr[0:4])", "_iso_number(dtstr[0:4], 4)"),
    (
        "_pydatetime.py",
        "int(dtstr[pos:pos + 2])",
        "_iso_number(dtstr[pos:pos + 2], 2)",
    ),
    (
        "_pydatetime.py",
        "int(dtstr[pos:pos + 1])",
        "_iso_number(dtstr[pos:pos + 1], 1)",
    ),
    (
        "_pydatetime.py",
        "int(tstr[pos:pos+2])",
        "_iso_number(tstr[pos:pos+2], 2)",
    ),
    // Abbreviations of TZ strings are ASCII letters, the offset is always there, days are digits.
    (
        "zoneinfo/_zoneinfo.py",
        "(?P<std>[^<0-9:.+-]+|",
        "(?P<std>[a-zA-Z]+|",
    ),
    (
        "zoneinfo/_zoneinfo.py",
        "(?P<dst>[^0-9:.+-]+|",
        "(?P<dst>[a-zA-Z]+|",
    ),
    (
        "zoneinfo/_zoneinfo.py",
        "        std_offset = 0\n",
        "        raise ValueError(f\"Invalid STD offset in {tz_str}\")\n",
    ),
    (
        "zoneinfo/_zoneinfo.py",
        r"M(\d{1,2})\.(\d).(\d)",
        r"M(\d{1,2})\.(\d)\.(\d)",
    ),
    (
        "zoneinfo/_zoneinfo.py",
        "        doy = int(date)\n",
        "        if not re.fullmatch(r\"\\d{1,3}\", date, re.ASCII):\n            raise ValueError(f\"Invalid dst start/end date: \
         {dststr}\")\n        doy = int(date)\n",
    ),
    // An instance may have no `__class__`.
    (
        "_py_abc.py",
        "        subclass = instance.__class__\n",
        "        subclass = getattr(instance, '__class__', type(instance))\n",
    ),
    // A letter that Unicode 3.2 does not have, or whose small letter it does not have, has no case there.
    (
        "stringprep.py",
        "    if r is not None: return r\n    return code.lower()\n",
        "    if r is not None: return r\n    lower = code.lower()\n    if any(unicodedata.category(c) == 'Cn' for c in code + lower):\n        \
         return code\n    return lower\n",
    ),
    // Native streams, which are static classes here, are not copied into the base of a subclass's instance: that is made anew.
    (
        "copyreg.py",
        "        state = None\n    else:\n        if base is cls:\n",
        "        state = None\n    elif base.__module__ == '_io':\n        state = self.__getstate__()\n        return (__newobj__, (cls,), \
         state) if state else (__newobj__, (cls,))\n    else:\n        if base is cls:\n",
    ),
    // Who awaits a future is forgotten when it is not awaited any more, and known while it is.
    (
        "asyncio/tasks.py",
        "            f.remove_done_callback(_on_completion)\n",
        "            f.remove_done_callback(_on_completion)\n            futures.future_discard_from_awaited_by(f, cur_task)\n",
    ),
    (
        "asyncio/tasks.py",
        "    fut.add_done_callback(cb)\n\n    try:\n        fut.cancel()\n",
        "    fut.add_done_callback(cb)\n    waiting = current_task()\n    futures.future_add_to_awaited_by(fut, waiting)\n\n    try:\n        fut.cancel()\n",
    ),
    (
        "asyncio/tasks.py",
        "        fut.remove_done_callback(cb)\n\n\nclass _AsCompletedIterator",
        "        futures.future_discard_from_awaited_by(fut, waiting)\n        fut.remove_done_callback(cb)\n\n\nclass _AsCompletedIterator",
    ),
    (
        "asyncio/tasks.py",
        "        todo = {ensure_future(aw, loop=loop) for aw in set(aws)}\n        for f in todo:\n            f.add_done_callback(self._handle_completion)\n",
        "        todo = {ensure_future(aw, loop=loop) for aw in set(aws)}\n        self._waiting = current_task()\n        for f in todo:\n            futures.future_add_to_awaited_by(f, self._waiting)\n            f.add_done_callback(self._handle_completion)\n",
    ),
    (
        "asyncio/tasks.py",
        "            f.remove_done_callback(self._handle_completion)\n",
        "            futures.future_discard_from_awaited_by(f, self._waiting)\n            f.remove_done_callback(self._handle_completion)\n",
    ),
    (
        "asyncio/tasks.py",
        "        self._todo.remove(f)\n",
        "        futures.future_discard_from_awaited_by(f, self._waiting)\n        self._todo.remove(f)\n",
    ),
    (
        "asyncio/tasks.py",
        "    outer = _GatheringFuture(children, loop=loop)\n    # Run done",
        "    outer = _GatheringFuture(children, loop=loop)\n    if cur_task is not None:\n        def _forget_waiting(outer):\n            for child in children:\n                futures.future_discard_from_awaited_by(child, cur_task)\n\n        outer.add_done_callback(_forget_waiting)\n    # Run done",
    ),
    (
        "asyncio/tasks.py",
        "            inner.add_done_callback(_log_on_exception)\n\n    if cur_task is not None:\n        inner.add",
        "            inner.add_done_callback(_log_on_exception)\n            if cur_task is not None:\n                futures.future_discard_from_awaited_by(inner, cur_task)\n                inner.remove_done_callback(_clear_awaited_by_callback)\n\n    if cur_task is not None:\n        inner.add",
    ),
    // A coroutine that is done has no frame.
    (
        "asyncio/graph.py",
        "            st.append(FrameCallGraphEntry(coro.cr_frame))\n            coro = coro.cr_await\n",
        "            frame = coro.cr_frame\n            if frame is not None:\n                st.append(FrameCallGraphEntry(frame))\n            coro = coro.cr_await\n",
    ),
    // A generator that is no coroutine does not end the chain of calls.
    (
        "asyncio/graph.py",
        "            is_async = f.f_generator is not None\n",
        "            is_async = isinstance(f.f_generator, (types.AsyncGeneratorType, types.CoroutineType))\n",
    ),
    // A socket for which no transport could be made is closed.
    (
        "asyncio/base_events.py",
        "        sock.setblocking(False)\n\n        protocol = protocol_factory()\n        waiter = self.create_future()\n        if ssl:\n            sslcontext = None if isinstance(ssl, bool) else ssl\n            transport = self._make_ssl_transport(\n                sock, protocol, sslcontext, waiter,\n                server_side=server_side, server_hostname=server_hostname,\n                ssl_handshake_timeout=ssl_handshake_timeout,\n                ssl_shutdown_timeout=ssl_shutdown_timeout)\n        else:\n            transport = self._make_socket_transport(sock, protocol, waiter)\n",
        "        def make():\n            sock.setblocking(False)\n            protocol = protocol_factory()\n            waiter = self.create_future()\n            if not ssl:\n                return protocol, waiter, self._make_socket_transport(sock, protocol, waiter)\n            sslcontext = None if isinstance(ssl, bool) else ssl\n            return protocol, waiter, self._make_ssl_transport(\n                sock, protocol, sslcontext, waiter,\n                server_side=server_side, server_hostname=server_hostname,\n                ssl_handshake_timeout=ssl_handshake_timeout,\n                ssl_shutdown_timeout=ssl_shutdown_timeout)\n\n        try:\n            protocol, waiter, transport = make()\n        except BaseException:\n            sock.close()\n            raise\n",
    ),
    // A server that is cancelled does not wait for its clients.
    (
        "asyncio/base_events.py",
        "                self.close()\n                await self.wait_closed()\n",
        "                self.close()\n                self.close_clients()\n                await self.wait_closed()\n",
    ),
    // Several accept from one socket: one of them may be done when its turn comes.
    (
        "asyncio/selector_events.py",
        "    def _sock_accept(self, fut, sock):\n        fd = sock.fileno()\n",
        "    def _sock_accept(self, fut, sock):\n        if fut.done():\n            return\n        fd = sock.fileno()\n",
    ),
    // The protocol may have closed the transport when it was resumed: the connection is lost once; nothing empty waits to be sent.
    (
        "asyncio/selector_events.py",
        "        self._buffer.extend([memoryview(data) for data in list_of_data])\n",
        "        waiting = [memoryview(data) for data in list_of_data if data]\n        if not waiting and not self._buffer:\n            return\n        self._buffer.extend(waiting)\n",
    ),
    // What a callback that is no coroutine raises is reported.
    (
        "asyncio/streams.py",
        "            res = self._client_connected_cb(reader, writer)\n            if coroutines",
        "            try:\n                res = self._client_connected_cb(reader, writer)\n            except Exception as error:\n                self._strong_reader = None\n                transport.close()\n                self._loop.call_exception_handler({\n                    'exception': error,\n                    'message': 'Unhandled exception in client_connected_cb',\n                    'transport': transport,\n                })\n                return\n            if coroutines",
    ),
    // A reader reads from the transport that its writer writes to.
    (
        "asyncio/streams.py",
        "        loop = self._loop\n        self._transport = transport\n        self._over_ssl",
        "        reader = self._stream_reader\n        if reader is not None:\n            reader._transport = transport\n        self._transport = transport\n        self._over_ssl",
    ),
    (
        "asyncio/selector_events.py",
        "                if self._closing:\n                    self._call_connection_lost(None)\n                elif self._eof:\n",
        "                if self._closing and not self._conn_lost:\n                    self._conn_lost += 1\n                    self._call_connection_lost(None)\n                elif self._eof and not self._closing:\n",
    ),
];
