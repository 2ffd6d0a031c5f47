//! Python's grammar with the mistakes that people make in it: what `peg` reads. Rules are in PEG notation; those whose names
//! begin with `invalid_` describe mistakes and are tried in the second pass only. Expressions that the language reference
//! writes with left recursion are loops here.
//!
//! Behind an alternative stands what it gives: nothing (its only item, or the sequence), `-> Kind` (a node of a kind),
//! `-> fold Kind` (as `-> Kind` unless only the first item was there), `-> trail` (the kind of the last item), `= x` (what
//! is bound to x), `-> ! …` (an error; see `peg::Raise`).

pub const GRAMMAR: &str = r##"
file: statements? ENDMARKER
interactive: compound_stmt (NEWLINE | ENDMARKER) | simple_stmts | NEWLINE | ENDMARKER
eval: expressions NEWLINE* ENDMARKER

statements: statement+
statement: compound_stmt | simple_stmts
simple_stmts: simple_stmt !';' NEWLINE | ';'.simple_stmt+ ';'? NEWLINE
simple_stmt: assignment | &"type" type_alias | star_expressions | &'return' return_stmt | &('import' | 'from') import_stmt
    | &'raise' raise_stmt | pass_stmt | &'del' del_stmt | &'yield' yield_expr | &'assert' assert_stmt
    | break_stmt | continue_stmt | &'global' global_stmt | &'nonlocal' nonlocal_stmt
compound_stmt: &('def' | '@' | 'async') function_def | &'if' if_stmt | &('class' | '@') class_def
    | &('with' | 'async') with_stmt | &('for' | 'async') for_stmt | &'try' try_stmt | &'while' while_stmt | match_stmt

assignment: NAME ':' expression ('=' annotated_rhs)?
    | ('(' single_target ')' | single_subscript_attribute_target) ':' expression ('=' annotated_rhs)?
    | (star_targets '=')+ annotated_rhs !'='
    | single_target augassign ~ annotated_rhs
    | invalid_assignment
annotated_rhs: yield_expr | star_expressions
augassign: '+=' | '-=' | '*=' | '@=' | '/=' | '%=' | '&=' | '|=' | '^=' | '<<=' | '>>=' | '**=' | '//='
invalid_assignment: a=invalid_ann_assign_target ':' expression -> ! known a "only single target (not %s) can be annotated"
    | a=star_named_expression ',' star_named_expressions* ':' expression -> ! known a "only single target (not tuple) can be annotated"
    | a=expression ':' expression -> ! known a "illegal target for annotation"
    | (star_targets '=')* a=star_expressions '=' -> ! target assign a
    | (star_targets '=')* a=yield_expr '=' -> ! known a "assignment to yield expression not possible"
    | a=star_expressions augassign annotated_rhs -> ! known a "'%s' is an illegal expression for augmented assignment"
invalid_ann_assign_target: list | tuple | '(' a=invalid_ann_assign_target ')' = a

pass_stmt: 'pass'
break_stmt: 'break'
continue_stmt: 'continue'
return_stmt: 'return' star_expressions?
raise_stmt: 'raise' expression 'from' expression | 'raise' expression | 'raise'
global_stmt: 'global' ','.NAME+
nonlocal_stmt: 'nonlocal' ','.NAME+
del_stmt: 'del' del_targets &(';' | NEWLINE) | invalid_del_stmt
invalid_del_stmt: 'del' a=star_expressions -> ! target delete a
assert_stmt: 'assert' expression (',' expression)?

import_stmt: invalid_import | 'import' dotted_as_names | import_from
invalid_import: a='import' ','.dotted_name+ 'from' dotted_name -> ! from a "Did you mean to use 'from ... import ...' instead?"
    | 'import' a=NEWLINE -> ! from a "Expected one or more names after 'import'"
import_from: 'from' ('.' | '...')* dotted_name 'import' import_from_targets | 'from' ('.' | '...')+ 'import' import_from_targets
import_from_targets: '(' import_from_as_names ','? ')' | import_from_as_names !',' | '*' | invalid_import_from_targets
invalid_import_from_targets: import_from_as_names ',' NEWLINE -> ! last "trailing comma not allowed without surrounding parentheses"
    | a=NEWLINE -> ! from a "Expected one or more names after 'import'"
import_from_as_names: ','.import_from_as_name+
import_from_as_name: invalid_import_from_as_name | NAME ('as' NAME)?
invalid_import_from_as_name: NAME 'as' !(NAME (',' | ')' | ';' | NEWLINE)) a=expression -> ! known a "cannot use %s as import target"
dotted_as_names: ','.dotted_as_name+
dotted_as_name: invalid_dotted_as_name | dotted_name ('as' NAME)?
invalid_dotted_as_name: dotted_name 'as' !(NAME (',' | ';' | NEWLINE)) a=expression -> ! known a "cannot use %s as import target"
dotted_name: NAME ('.' NAME)*

block: NEWLINE INDENT statements DEDENT | simple_stmts | invalid_block
invalid_block: NEWLINE !INDENT -> ! indent "expected an indented block"
decorators: ('@' named_expression NEWLINE)+
class_def: decorators class_def_raw | class_def_raw
class_def_raw: invalid_class_def_raw | 'class' NAME type_params? ('(' arguments? ')')? ':' block
invalid_class_def_raw: 'class' NAME type_params? ('(' arguments? ')')? NEWLINE -> ! last "expected ':'"
    | a='class' NAME type_params? ('(' arguments? ')')? ':' NEWLINE !INDENT -> ! indent a "class definition"
function_def: decorators function_def_raw | function_def_raw
function_def_raw: invalid_def_raw
    | 'def' NAME type_params? &&'(' params? ')' ('->' expression)? &&':' block
    | 'async' 'def' NAME type_params? &&'(' params? ')' ('->' expression)? &&':' block
invalid_def_raw: 'async'? a='def' NAME type_params? '(' params? ')' ('->' expression)? ':' NEWLINE !INDENT -> ! indent a "function definition"

params: invalid_parameters | parameters
parameters: slash_no_default param_no_default* param_with_default* star_etc?
    | slash_with_default param_with_default* star_etc?
    | param_no_default+ param_with_default* star_etc?
    | param_with_default+ star_etc?
    | star_etc
slash_no_default: param_no_default+ '/' ',' | param_no_default+ '/' &')'
slash_with_default: param_no_default* param_with_default+ '/' ',' | param_no_default* param_with_default+ '/' &')'
star_etc: invalid_star_etc | '*' param_no_default param_maybe_default* kwds?
    | '*' param_no_default_star_annotation param_maybe_default* kwds?
    | '*' ',' param_maybe_default+ kwds? | kwds
kwds: invalid_kwds | '**' param_no_default
param_no_default: a=param ',' = a | a=param &')' = a
param_no_default_star_annotation: NAME ':' star_expression ',' | NAME ':' star_expression &')'
param_with_default: param default ',' | param default &')'
param_maybe_default: param default? ',' | param default? &')'
param: NAME annotation?
annotation: ':' expression
default: '=' expression | invalid_default
invalid_default: a='=' &(')' | ',') -> ! known a "expected default value expression"
invalid_parameters: a='/' ',' -> ! known a "at least one argument must precede /"
    | (slash_no_default | slash_with_default) param_maybe_default* a='/' -> ! known a "/ may appear only once"
    | slash_no_default? param_no_default* invalid_parameters_helper a=param_no_default -> ! known a "parameter without a default follows parameter with a default"
    | param_no_default* a='(' param_no_default+ ','? b=')' -> ! range a b "Function parameters cannot be parenthesized"
    | (slash_no_default | slash_with_default)? param_maybe_default* '*' (',' | param_no_default) param_maybe_default* a='/' -> ! known a "/ must be ahead of *"
    | param_maybe_default+ '/' a='*' -> ! known a "expected comma between / and *"
invalid_parameters_helper: slash_with_default | param_with_default+
invalid_star_etc: a='*' (')' | ',' (')' | '**')) -> ! known a "named arguments must follow bare *"
    | '*' param a='=' -> ! known a "var-positional argument cannot have default value"
    | '*' (param_no_default | ',') param_maybe_default* a='*' (param_no_default | ',') -> ! known a "* argument may appear only once"
invalid_kwds: '**' param a='=' -> ! known a "var-keyword argument cannot have default value"
    | '**' param ',' a=param -> ! known a "arguments cannot follow var-keyword argument"
    | '**' param ',' a=('*' | '**' | '/') -> ! known a "arguments cannot follow var-keyword argument"

if_stmt: invalid_if_stmt | 'if' named_expression ':' block elif_stmt | 'if' named_expression ':' block else_block?
invalid_if_stmt: 'if' named_expression NEWLINE -> ! last "expected ':'"
    | a='if' named_expression ':' NEWLINE !INDENT -> ! indent a "'if' statement"
elif_stmt: invalid_elif_stmt | 'elif' named_expression ':' block elif_stmt | 'elif' named_expression ':' block else_block?
invalid_elif_stmt: 'elif' named_expression NEWLINE -> ! last "expected ':'"
    | a='elif' named_expression ':' NEWLINE !INDENT -> ! indent a "'elif' statement"
else_block: invalid_else_stmt | 'else' &&':' block
invalid_else_stmt: a='else' ':' NEWLINE !INDENT -> ! indent a "'else' statement"
    | 'else' ':' block a='elif' -> ! last "'elif' block follows an 'else' block"
while_stmt: invalid_while_stmt | 'while' named_expression ':' block else_block?
invalid_while_stmt: 'while' named_expression NEWLINE -> ! last "expected ':'"
    | a='while' named_expression ':' NEWLINE !INDENT -> ! indent a "'while' statement"
for_stmt: invalid_for_stmt | 'for' star_targets 'in' ~ star_expressions ':' block else_block?
    | 'async' 'for' star_targets 'in' ~ star_expressions ':' block else_block? | invalid_for_target
invalid_for_stmt: 'async'? 'for' star_targets 'in' star_expressions NEWLINE -> ! last "expected ':'"
    | 'async'? a='for' star_targets 'in' star_expressions ':' NEWLINE !INDENT -> ! indent a "'for' statement"
invalid_for_target: 'async'? 'for' a=star_expressions -> ! target for a
with_stmt: invalid_with_stmt_indent | 'with' '(' ','.with_item+ ','? ')' ':' block | 'with' ','.with_item+ ':' block
    | 'async' 'with' '(' ','.with_item+ ','? ')' ':' block | 'async' 'with' ','.with_item+ ':' block | invalid_with_stmt
with_item: expression 'as' star_target &(',' | ')' | ':') | invalid_with_item | expression
invalid_with_item: expression 'as' a=expression &(',' | ')' | ':') -> ! target assign a
invalid_with_stmt: 'async'? 'with' ','.with_plain+ NEWLINE -> ! last "expected ':'"
    | 'async'? 'with' '(' ','.with_many+ ','? ')' NEWLINE -> ! last "expected ':'"
invalid_with_stmt_indent: 'async'? a='with' ','.with_plain+ ':' NEWLINE !INDENT -> ! indent a "'with' statement"
    | 'async'? a='with' '(' ','.with_many+ ','? ')' ':' NEWLINE !INDENT -> ! indent a "'with' statement"
with_plain: expression ('as' star_target)?
with_many: expressions ('as' star_target)?
try_stmt: invalid_try_stmt | 'try' &&':' block finally_block | 'try' &&':' block except_block+ else_block? finally_block?
    | 'try' &&':' block except_star_block+ else_block? finally_block?
invalid_try_stmt: a='try' ':' NEWLINE !INDENT -> ! indent a "'try' statement"
    | 'try' ':' block !('except' | 'finally') -> ! last "expected 'except' or 'finally' block"
    | 'try' ':' block* except_block+ a='except' b='*' expression ('as' NAME)? ':' -> ! range a b "cannot have both 'except' and 'except*' on the same 'try'"
    | 'try' ':' block* except_star_block+ a='except' (expression ('as' NAME)?)? ':' -> ! known a "cannot have both 'except' and 'except*' on the same 'try'"
except_block: invalid_except_stmt_indent | 'except' expressions ':' block | 'except' expression 'as' NAME ':' block | 'except' ':' block
    | invalid_except_stmt
except_star_block: invalid_except_star_stmt_indent | 'except' '*' expressions ':' block | 'except' '*' expression 'as' NAME ':' block
    | invalid_except_star_stmt
invalid_except_stmt: 'except' a=expression ',' expressions 'as' NAME ':' -> ! from a "multiple exception types must be parenthesized when using 'as'"
    | 'except' expression ('as' NAME)? NEWLINE -> ! last "expected ':'"
    | 'except' NEWLINE -> ! last "expected ':'"
    | 'except' expression 'as' a=expression ':' block -> ! known a "cannot use except statement with %s"
invalid_except_star_stmt: 'except' '*' a=expression ',' expressions 'as' NAME ':' -> ! from a "multiple exception types must be parenthesized when using 'as'"
    | 'except' '*' expression ('as' NAME)? NEWLINE -> ! last "expected ':'"
    | 'except' '*' (NEWLINE | ':') -> ! last "expected one or more exception types"
    | 'except' '*' expression 'as' a=expression ':' block -> ! known a "cannot use except* statement with %s"
invalid_except_stmt_indent: a='except' expression ('as' NAME)? ':' NEWLINE !INDENT -> ! indent a "'except' statement"
    | a='except' ':' NEWLINE !INDENT -> ! indent a "'except' statement"
invalid_except_star_stmt_indent: a='except' '*' expression ('as' NAME)? ':' NEWLINE !INDENT -> ! indent a "'except*' statement"
finally_block: invalid_finally_stmt | 'finally' &&':' block
invalid_finally_stmt: a='finally' ':' NEWLINE !INDENT -> ! indent a "'finally' statement"

match_stmt: "match" subject_expr ':' NEWLINE INDENT case_block+ DEDENT | invalid_match_stmt
invalid_match_stmt: "match" subject_expr NEWLINE -> ! last "expected ':'"
    | a="match" subject_expr ':' NEWLINE !INDENT -> ! indent a "'match' statement"
subject_expr: star_named_expression ',' star_named_expressions? | named_expression
case_block: invalid_case_block | "case" patterns guard? ':' block
invalid_case_block: "case" patterns guard? NEWLINE -> ! last "expected ':'"
    | a="case" patterns guard? ':' NEWLINE !INDENT -> ! indent a "'case' statement"
guard: 'if' named_expression
patterns: open_sequence_pattern | pattern
pattern: as_pattern | or_pattern
as_pattern: or_pattern 'as' pattern_capture_target | invalid_as_pattern
invalid_as_pattern: or_pattern 'as' a="_" -> ! known a "cannot use '_' as a target"
    | or_pattern 'as' a=expression -> ! known a "cannot use %s as pattern target"
or_pattern: '|'.closed_pattern+
closed_pattern: literal_pattern | pattern_capture_target | "_" | value_pattern | group_pattern | sequence_pattern | mapping_pattern
    | class_pattern
literal_pattern: signed_number !('+' | '-') | complex_number | strings | 'None' | 'True' | 'False'
complex_number: signed_number ('+' | '-') NUMBER
signed_number: NUMBER | '-' NUMBER
pattern_capture_target: !"_" NAME !('.' | '(' | '=')
value_pattern: attr !('.' | '(' | '=')
attr: NAME ('.' NAME)+
name_or_attr: NAME ('.' NAME)*
group_pattern: '(' pattern ')'
sequence_pattern: '[' maybe_sequence_pattern? ']' | '(' open_sequence_pattern? ')'
open_sequence_pattern: maybe_star_pattern ',' maybe_sequence_pattern?
maybe_sequence_pattern: ','.maybe_star_pattern+ ','?
maybe_star_pattern: star_pattern | pattern
star_pattern: '*' pattern_capture_target | '*' "_"
mapping_pattern: '{' '}' | '{' double_star_pattern ','? '}' | '{' ','.key_value_pattern+ ',' double_star_pattern ','? '}'
    | '{' ','.key_value_pattern+ ','? '}'
key_value_pattern: (literal_pattern | attr) ':' pattern
double_star_pattern: '**' pattern_capture_target
class_pattern: name_or_attr '(' ')' | name_or_attr '(' positional_patterns ','? ')' | name_or_attr '(' keyword_patterns ','? ')'
    | name_or_attr '(' positional_patterns ',' keyword_patterns ','? ')' | invalid_class_pattern
positional_patterns: ','.pattern+
keyword_patterns: ','.keyword_pattern+
keyword_pattern: NAME '=' pattern
invalid_class_pattern: name_or_attr '(' a=invalid_class_argument_pattern -> ! known a "positional patterns follow keyword patterns"
invalid_class_argument_pattern: (positional_patterns ',')? keyword_patterns ',' a=positional_patterns = a

type_alias: "type" NAME type_params? '=' expression
type_params: invalid_type_params | '[' ','.type_param+ ','? ']'
invalid_type_params: '[' a=']' -> ! from a "Type parameter list cannot be empty"
type_param: NAME (':' expression)? ('=' expression)? | invalid_type_param | '*' NAME ('=' star_expression)? | '**' NAME ('=' expression)?
invalid_type_param: '*' NAME a=':' e=expression -> ! bound a e TypeVarTuple
    | '**' NAME a=':' e=expression -> ! bound a e ParamSpec

expressions: expression (',' expression)+ ','? -> Tuple | expression ',' -> Tuple | expression
expression: invalid_expression | invalid_legacy_expression | disjunction 'if' disjunction 'else' expression -> IfExp | disjunction | lambdef
invalid_expression: STRING a=string_gap STRING -> ! known a "invalid syntax. Is this intended to be part of the string?"
    | !(NAME STRING | SOFT_KEYWORD) a=disjunction b=expression_without_invalid -> ! comma a b
    | a=disjunction 'if' b=disjunction !('else' | ':') -> ! range a b "expected 'else' after 'if' expression"
    | disjunction 'if' disjunction 'else' !expression -> ! next "expected expression after 'else', but statement is given"
    | a=(pass_stmt | break_stmt | continue_stmt) 'if' disjunction 'else' b=simple_stmt -> ! known a "expected expression before 'if', but statement is given"
    | a='lambda' lambda_params? b=':' &FMIDDLE -> ! range a b "%f-string: lambda expressions are not allowed without parentheses"
string_gap: (!STRING expression_without_invalid)+
expression_without_invalid: disjunction 'if' disjunction 'else' expression -> IfExp | disjunction | lambdef
invalid_legacy_expression: a=NAME !'(' b=star_expressions -> ! legacy a b
yield_expr: 'yield' 'from' expression -> Yield | 'yield' star_expressions? -> Yield
star_expressions: star_expression (',' star_expression)+ ','? -> Tuple | star_expression ',' -> Tuple | star_expression
star_expression: '*' bitwise_or -> Starred | expression
star_named_expressions: ','.star_named_expression+ ','?
star_named_expression: '*' bitwise_or -> Starred | named_expression
assignment_expression: NAME ':=' ~ expression -> NamedExpr
named_expression: assignment_expression | invalid_named_expression | a=expression !':=' = a
invalid_named_expression: a=expression ':=' expression -> ! known a "cannot use assignment expressions with %s"
    | a=NAME '=' b=bitwise_or !('=' | ':=') -> ! range a b "invalid syntax. Maybe you meant '==' or ':=' instead of '='?"
    | !(list | tuple | genexp | 'True' | 'None' | 'False') a=bitwise_or b='=' bitwise_or !('=' | ':=') -> ! known a "cannot assign to %s here. Maybe you meant '==' instead of '='?"
disjunction: conjunction ('or' conjunction)+ -> BinOp | conjunction
conjunction: inversion ('and' inversion)+ -> BinOp | inversion
inversion: 'not' inversion -> BinOp | comparison
comparison: bitwise_or compare_pair+ -> Compare | bitwise_or
compare_pair: '==' bitwise_or | '!=' bitwise_or | '<=' bitwise_or | '<' bitwise_or | '>=' bitwise_or | '>' bitwise_or
    | invalid_diamond | 'not' 'in' bitwise_or | in_pair | 'is' 'not' bitwise_or | 'is' bitwise_or
invalid_diamond: a='<>' -> ! known a "invalid syntax.  Maybe you meant '!=' instead of '<>'?"
in_pair: 'in' bitwise_or -> InPair
bitwise_or: bitwise_xor ('|' bitwise_xor)* -> fold BinOp
bitwise_xor: bitwise_and ('^' bitwise_and)* -> fold BinOp
bitwise_and: shift_expr ('&' shift_expr)* -> fold BinOp
shift_expr: shift_start (('<<' | '>>') sum)* -> fold BinOp
shift_start: invalid_arithmetic | sum
invalid_arithmetic: sum ('+' | '-' | '*' | '/' | '%' | '//' | '@') a='not' b=inversion -> ! range a b "'not' after an operator must be parenthesized"
sum: term (('+' | '-') term)* -> fold BinOp
term: factor (('*' | '/' | '//' | '%' | '@') factor)* -> fold BinOp
factor: '+' factor -> BinOp | '-' factor -> BinOp | '~' factor -> BinOp | invalid_factor | power
invalid_factor: ('+' | '-' | '~') a='not' b=factor -> ! range a b "'not' after an operator must be parenthesized"
power: await_primary '**' factor -> BinOp | await_primary
await_primary: 'await' primary -> Await | primary
primary: atom trailer* -> trail
trailer: '.' NAME -> Attribute | genexp -> Call | '(' arguments? ')' -> Call | '[' slices ']' -> Subscript
slices: slice !',' | ','.(slice | starred_expression)+ ','? -> Tuple
slice: expression? ':' expression? (':' expression?)? | named_expression
atom: NAME | 'True' -> True | 'False' -> False | 'None' -> None | &(STRING | FSTART) strings | NUMBER -> Constant
    | &'(' (tuple | group | genexp) | &'[' (list | listcomp) | &'{' (dict | set | dictcomp | setcomp) | '...' -> Ellipsis
group: '(' a=(yield_expr | named_expression) ')' = a | invalid_group
invalid_group: '(' a=starred_expression ')' -> ! known a "cannot use starred expression here"
    | '(' a='**' expression ')' -> ! known a "cannot use double starred expression here"

lambdef: 'lambda' lambda_params? ':' expression -> Lambda
lambda_params: invalid_lambda_parameters | lambda_parameters
lambda_parameters: lambda_slash_no_default lambda_param_no_default* lambda_param_with_default* lambda_star_etc?
    | lambda_slash_with_default lambda_param_with_default* lambda_star_etc?
    | lambda_param_no_default+ lambda_param_with_default* lambda_star_etc?
    | lambda_param_with_default+ lambda_star_etc?
    | lambda_star_etc
lambda_slash_no_default: lambda_param_no_default+ '/' ',' | lambda_param_no_default+ '/' &':'
lambda_slash_with_default: lambda_param_no_default* lambda_param_with_default+ '/' ',' | lambda_param_no_default* lambda_param_with_default+ '/' &':'
lambda_star_etc: invalid_lambda_star_etc | '*' lambda_param_no_default lambda_param_maybe_default* lambda_kwds?
    | '*' ',' lambda_param_maybe_default+ lambda_kwds? | lambda_kwds
lambda_kwds: invalid_lambda_kwds | '**' lambda_param_no_default
lambda_param_no_default: a=NAME ',' = a | a=NAME &':' = a
lambda_param_with_default: NAME default ',' | NAME default &':'
lambda_param_maybe_default: NAME default? ',' | NAME default? &':'
invalid_lambda_parameters: a='/' ',' -> ! known a "at least one argument must precede /"
    | (lambda_slash_no_default | lambda_slash_with_default) lambda_param_maybe_default* a='/' -> ! known a "/ may appear only once"
    | lambda_slash_no_default? lambda_param_no_default* invalid_lambda_parameters_helper a=lambda_param_no_default -> ! known a "parameter without a default follows parameter with a default"
    | lambda_param_no_default* a='(' ','.NAME+ ','? b=')' -> ! range a b "Lambda expression parameters cannot be parenthesized"
    | (lambda_slash_no_default | lambda_slash_with_default)? lambda_param_maybe_default* '*' (',' | lambda_param_no_default) lambda_param_maybe_default* a='/' -> ! known a "/ must be ahead of *"
    | lambda_param_maybe_default+ '/' a='*' -> ! known a "expected comma between / and *"
invalid_lambda_parameters_helper: lambda_slash_with_default | lambda_param_with_default+
invalid_lambda_star_etc: '*' (':' | ',' (':' | '**')) -> ! last "named arguments must follow bare *"
    | '*' NAME a='=' -> ! known a "var-positional argument cannot have default value"
    | '*' (lambda_param_no_default | ',') lambda_param_maybe_default* a='*' (lambda_param_no_default | ',') -> ! known a "* argument may appear only once"
invalid_lambda_kwds: '**' NAME a='=' -> ! known a "var-keyword argument cannot have default value"
    | '**' NAME ',' a=NAME -> ! known a "arguments cannot follow var-keyword argument"
    | '**' NAME ',' a=('*' | '**' | '/') -> ! known a "arguments cannot follow var-keyword argument"

strings: (fstring | STRING)+ -> strings
fstring: FSTART fmiddle* FEND -> JoinedStr
fmiddle: replacement_field | FMIDDLE
replacement_field: '{' annotated_rhs '='? conversion? full_format_spec? '}' | invalid_replacement_field
conversion: '!' NAME
full_format_spec: ':' fmiddle*
invalid_replacement_field: '{' a='=' -> ! known a "%f-string: valid expression required before '='"
    | '{' a='!' -> ! known a "%f-string: valid expression required before '!'"
    | '{' a=':' -> ! known a "%f-string: valid expression required before ':'"
    | '{' a='}' -> ! known a "%f-string: valid expression required before '}'"
    | '{' !annotated_rhs -> ! next "%f-string: expecting a valid expression after '{'"
    | '{' annotated_rhs !('=' | '!' | ':' | '}') -> ! next "%f-string: expecting '=', or '!', or ':', or '}'"
    | '{' annotated_rhs '=' !('!' | ':' | '}') -> ! next "%f-string: expecting '!', or ':', or '}'"
    | '{' annotated_rhs '='? invalid_conversion_character
    | '{' annotated_rhs '='? ('!' NAME)? !(':' | '}') -> ! next "%f-string: expecting ':' or '}'"
    | '{' annotated_rhs '='? ('!' NAME)? ':' fmiddle* !'}' -> ! next "%f-string: expecting '}', or format specs"
    | '{' annotated_rhs '='? ('!' NAME)? !'}' -> ! next "%f-string: expecting '}'"
invalid_conversion_character: '!' &(':' | '}') -> ! next "%f-string: missing conversion character"
    | '!' !NAME -> ! next "%f-string: invalid conversion character"

list: '[' star_named_expressions? ']' -> List
tuple: '(' (star_named_expression ',' star_named_expressions?)? ')' -> Tuple
set: '{' star_named_expressions '}' -> Set
dict: '{' (','.double_starred_kvpair+ ','?)? '}' -> Dict | '{' invalid_double_starred_kvpairs '}'
double_starred_kvpair: '**' bitwise_or | kvpair
kvpair: expression ':' expression
invalid_double_starred_kvpairs: ','.double_starred_kvpair+ ',' invalid_kvpair
    | expression ':' a='*' bitwise_or -> ! from a "cannot use a starred expression in a dictionary value"
    | expression a=':' &('}' | ',') -> ! known a "expression expected after dictionary key and ':'"
invalid_kvpair: a=expression !':' -> ! key a
    | expression ':' a='*' bitwise_or -> ! from a "cannot use a starred expression in a dictionary value"
    | expression a=':' &('}' | ',') -> ! known a "expression expected after dictionary key and ':'"
for_if_clauses: for_if_clause+
for_if_clause: 'async' 'for' star_targets 'in' ~ disjunction ('if' disjunction)* | 'for' star_targets 'in' ~ disjunction ('if' disjunction)*
    | invalid_for_if_clause | invalid_for_target
invalid_for_if_clause: 'async'? 'for' bitwise_or (',' bitwise_or)* ','? !'in' -> ! last "'in' expected after for-loop variables"
listcomp: '[' named_expression for_if_clauses ']' -> ListComp | invalid_comprehension
setcomp: '{' named_expression for_if_clauses '}' -> SetComp | invalid_comprehension
genexp: '(' (assignment_expression | expression !':=') for_if_clauses ')' -> GeneratorExp | invalid_comprehension
dictcomp: '{' kvpair for_if_clauses '}' -> DictComp | invalid_dict_comprehension
invalid_comprehension: ('[' | '(' | '{') a=starred_expression for_if_clauses -> ! known a "iterable unpacking cannot be used in comprehension"
    | ('[' | '{') a=star_named_expression ',' b=','.star_named_expression+ ','? for_if_clauses -> ! range a b "did you forget parentheses around the comprehension target?"
    | ('[' | '{') a=star_named_expression b=',' for_if_clauses -> ! range a b "did you forget parentheses around the comprehension target?"
invalid_dict_comprehension: '{' a='**' bitwise_or for_if_clauses '}' -> ! known a "dict unpacking cannot be used in dict comprehension"

arguments: args ','? &')' | invalid_arguments
args: ','.argument+ (',' kwargs)? -> Args | kwargs -> Args
argument: starred_expression | a=(assignment_expression | plain_expression) !'=' = a
plain_expression: a=expression !':=' = a
kwargs: ','.kwarg_or_starred+ ',' ','.kwarg_or_double_starred+ | ','.kwarg_or_starred+ | ','.kwarg_or_double_starred+
starred_expression: invalid_starred_expression_unpacking | '*' expression -> Starred | invalid_starred_expression
invalid_starred_expression_unpacking: a='*' expression '=' b=expression -> ! range a b "cannot assign to iterable argument unpacking"
invalid_starred_expression: '*' -> ! last "Invalid star expression"
kwarg_or_starred: invalid_kwarg | NAME '=' expression | starred_expression
kwarg_or_double_starred: invalid_kwarg | NAME '=' expression | '**' expression -> DoubleStar
invalid_kwarg: a=('True' | 'False' | 'None') b='=' -> ! range a b "cannot assign to %t"
    | a=NAME b='=' expression for_if_clauses -> ! range a b "invalid syntax. Maybe you meant '==' or ':=' instead of '='?"
    | !(NAME '=') a=expression b='=' -> ! range a b "expression cannot contain assignment, perhaps you meant \"==\"?"
    | a='**' expression '=' b=expression -> ! range a b "cannot assign to keyword argument unpacking"
invalid_arguments: (','.argument+ ',' kwargs | kwargs) a=',' b=starred_expression -> ! range a b "iterable argument unpacking follows keyword argument unpacking"
    | a=expression b=for_if_clauses ',' (args | expression for_if_clauses)? -> ! range a b "Generator expression must be parenthesized"
    | a=NAME b='=' expression for_if_clauses -> ! range a b "invalid syntax. Maybe you meant '==' or ':=' instead of '='?"
    | (args ',')? a=NAME b='=' &(',' | ')') -> ! range a b "expected argument value expression"
    | a=args b=for_if_clauses -> ! genexp a b
    | args ',' a=expression b=for_if_clauses -> ! range a b "Generator expression must be parenthesized"
    | a=args ',' args -> ! order a

star_targets: a=star_target !',' = a | star_target (',' star_target)* ','? -> Tuple
star_target: '*' !'*' star_target -> Starred | target_with_star_atom
target_with_star_atom: t_primary '.' NAME !t_lookahead | t_primary '[' slices ']' !t_lookahead | star_atom
star_atom: NAME | '(' target_with_star_atom ')' | '(' (star_target (',' star_target)+ ','? | star_target ',')? ')'
    | '[' (','.star_target+ ','?)? ']'
single_target: single_subscript_attribute_target | NAME | '(' single_target ')'
single_subscript_attribute_target: t_primary '.' NAME !t_lookahead | t_primary '[' slices ']' !t_lookahead
t_primary: atom &t_lookahead (trailer &t_lookahead)*
t_lookahead: '(' | '[' | '.'
del_targets: ','.del_target+ ','?
del_target: t_primary '.' NAME !t_lookahead | t_primary '[' slices ']' !t_lookahead | del_t_atom
del_t_atom: NAME | '(' del_target ')' | '(' del_targets? ')' | '[' del_targets? ']'
"##;
