use super::*;
use crate::document::Members;
use crate::mapping::expr::value::Expr;
use crate::mapping::expr::{Lets, Names};

/// A document from JSON.
fn document(text: &str) -> Value {
    fn of(json: serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::Number(number) => Value::Number(number.to_string().into()),
            serde_json::Value::String(text) => Value::text(text),
            serde_json::Value::Array(items) => Value::List(items.into_iter().map(of).collect()),
            serde_json::Value::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name.into(), of(value)))
                    .collect::<Members>(),
            ),
        }
    }
    of(serde_json::from_str(text).unwrap())
}

fn selected(path: &str, json: &str) -> String {
    let document = document(json);
    let path = Path::parse(path, &Names::default()).unwrap();
    serde_json::to_string(&path.select(&Scope::new(&document)).unwrap()).unwrap()
}

/// Section of the RFC, path, document, what is selected.
type Case<'c> = (&'c str, &'c str, &'c str, &'c str);

fn table(cases: &[Case<'_>]) {
    for (section, path, json, expected) in cases {
        assert_eq!(selected(path, json), *expected, "section {section}: {path}");
    }
}

#[test]
fn names_wildcards_indexes_and_slices_select_what_rfc_9535_says() {
    table(&[
        ("2.2.3", "$", r#"{"k":1}"#, r#"[{"k":1}]"#),
        ("2.3.1.3", "$.o['j j']['k.k']", r#"{"o":{"j j":{"k.k":3}}}"#, "[3]"),
        ("2.3.1.3", r#"$.o["j j"]["k.k"]"#, r#"{"o":{"j j":{"k.k":3}}}"#, "[3]"),
        ("2.3.1.3", r#"$["'"]["@"]"#, r#"{"'":{"@":2}}"#, "[2]"),
        ("2.3.1.3", "$.नाम", r#"{"नाम":1}"#, "[1]"),
        ("2.3.1.2", r"$['\u006a']", r#"{"j":1}"#, "[1]"),
        ("2.3.1.2", r"$['\uD83D\uDE00']", r#"{"😀":1}"#, "[1]"),
        ("2.3.1.2", r#"$["a\"b"]"#, r#"{"a\"b":1}"#, "[1]"),
        ("2.3.1.2", r"$['a\'b']", r#"{"a'b":1}"#, "[1]"),
        ("2.3.1.2", r"$['\\\/\n\t']", r#"{"\\/\n\t":1}"#, "[1]"),
        ("2.3.1.2", "$['é']", r#"{"é":1,"e\u0301":2}"#, "[1]"),
        ("2.3.1.2", "$.a", "[1]", "[]"),
        ("2.3.1.2", "$['0']", r#"["x"]"#, "[]"),
        ("2.3.1.2", "$['']", r#"{"":1}"#, "[1]"),
        ("2.3.2.3", "$[*]", r#"{"a":1,"b":[2]}"#, "[1,[2]]"),
        ("2.3.2.3", "$.o[*,*]", r#"{"o":{"j":1,"k":2}}"#, "[1,2,1,2]"),
        ("2.3.2.3", "$.a[*]", r#"{"a":[5,3]}"#, "[5,3]"),
        ("2.3.3.3", "$[1]", r#"["a","b"]"#, r#"["b"]"#),
        ("2.3.3.3", "$[-2]", r#"["a","b"]"#, r#"["a"]"#),
        ("2.3.3.3", "$[2]", r#"["a","b"]"#, "[]"),
        ("2.3.3.2", "$[-3]", r#"["a","b"]"#, "[]"),
        ("2.3.3.2", "$[0]", r#"{"0":"a"}"#, "[]"),
        ("2.3.3.2", "$[0]", r#""text""#, "[]"),
        ("2.3.2.2", "$.a[*]", r#"{"a":"text"}"#, "[]"),
        ("2.3.2.3", "$.*", r#"{"a":1,"b":[2]}"#, "[1,[2]]"),
        ("2.3.4.2", "$[2:1]", "[0,1,2]", "[]"),
        ("2.3.4.2", "$[-2:]", "[0,1,2]", "[1,2]"),
        ("2.3.4.2", "$[:-1]", "[0,1,2]", "[0,1]"),
        ("2.3.4.2", "$[ 0 : 3 : 2 ]", "[0,1,2]", "[0,2]"),
        ("2.3.4.2", "$[-1:-3:-1]", "[0,1,2]", "[2,1]"),
        ("2.3.4.2", "$[0:2]", r#"{"0":1}"#, "[]"),
        ("2.3.4.3", "$[1:3]", "[0,1,2,3,4,5,6]", "[1,2]"),
        ("2.3.4.3", "$[5:]", "[0,1,2,3,4,5,6]", "[5,6]"),
        ("2.3.4.3", "$[1:5:2]", "[0,1,2,3,4,5,6]", "[1,3]"),
        ("2.3.4.3", "$[5:1:-2]", "[0,1,2,3,4,5,6]", "[5,3]"),
        ("2.3.4.3", "$[::-1]", "[0,1,2]", "[2,1,0]"),
        ("2.3.4.3", "$[::0]", "[0,1,2]", "[]"),
        ("2.3.4.3", "$[-9:9]", "[0,1,2]", "[0,1,2]"),
    ]);
}

#[test]
fn filters_compare_as_rfc_9535_says() {
    table(&[
        ("2.3.5.3", "$.a[?@.b == 'kilo']", r#"{"a":[3,{"b":"kilo"}]}"#, r#"[{"b":"kilo"}]"#),
        ("2.3.5.3", "$.a[?(@.b == 'kilo')]", r#"{"a":[3,{"b":"kilo"}]}"#, r#"[{"b":"kilo"}]"#),
        ("2.3.5.3", "$.a[?@>3.5]", r#"{"a":[3,5,1,6]}"#, "[5,6]"),
        ("2.3.5.3", "$.a[?@.b]", r#"{"a":[3,{"b":null}]}"#, r#"[{"b":null}]"#),
        ("2.3.5.3", "$[?@.*]", r#"{"a":[3],"o":{},"p":{"q":1}}"#, r#"[[3],{"q":1}]"#),
        ("2.3.5.3", "$[?@[?@>1]]", "[[1],[2],[0,3]]", "[[2],[0,3]]"),
        ("2.3.5.3", "$.a[?@<2 || @.b == 'k']", r#"{"a":[1,{"b":"k"}]}"#, r#"[1,{"b":"k"}]"#),
        ("2.3.5.3", "$.a[?@ == @]", r#"{"a":[3,"x",[1]]}"#, r#"[3,"x",[1]]"#),
        ("2.3.5.3", "$.a[?!(@ > 1) && @ != null]", r#"{"a":[0,2,null]}"#, "[0]"),
        (
            "2.3.5.2",
            "$.a[?@.x == @.y]",
            r#"{"a":[{},{"x":1},{"x":1,"y":1.0}]}"#,
            r#"[{},{"x":1,"y":1.0}]"#,
        ),
        ("2.3.5.2", "$.a[?@ <= 'b']", r#"{"a":["a","b","c",1]}"#, r#"["a","b"]"#),
        // 2.3.5.2.2, the table of comparisons: nothing, kinds that differ, objects, arrays, order of kinds.
        ("2.3.5.2.2", "$.a[?@.no == $.none]", r#"{"a":[1]}"#, "[1]"),
        ("2.3.5.2.2", "$.a[?@.no != $.none]", r#"{"a":[1]}"#, "[]"),
        ("2.3.5.2.2", "$.a[?@.no <= $.none]", r#"{"a":[1]}"#, "[1]"),
        ("2.3.5.2.2", "$.a[?@.no < $.none]", r#"{"a":[1]}"#, "[]"),
        ("2.3.5.2.2", "$.a[?@.no == 'g']", r#"{"a":[{}]}"#, "[]"),
        ("2.3.5.2.2", "$.a[?@.no != 'g']", r#"{"a":[{}]}"#, "[{}]"),
        ("2.3.5.2.2", "$.a[?@ <= 1]", r#"{"a":["1",1,true,null,[1]]}"#, "[1]"),
        ("2.3.5.2.2", "$.a[?@ == '13']", r#"{"a":[13,"13"]}"#, r#"["13"]"#),
        ("2.3.5.2.2", "$.a[?@ >= 'a']", r#"{"a":["a","b","Z"]}"#, r#"["a","b"]"#),
        ("2.3.5.2.2", "$.a[?@ > 'é']", r#"{"a":["z","ê"]}"#, r#"["ê"]"#),
        ("2.3.5.2.2", "$.a[?@ == true]", r#"{"a":[true,false,"true",1]}"#, "[true]"),
        ("2.3.5.2.2", "$.a[?@ < true]", r#"{"a":[false]}"#, "[]"),
        ("2.3.5.2.2", "$.a[?@ <= true]", r#"{"a":[true,false]}"#, "[true]"),
        ("2.3.5.2.2", "$.a[?@ == $.b]", r#"{"b":[1,2],"a":[[1,2],[2,1],[1]]}"#, "[[1,2]]"),
        ("2.3.5.2.2", "$.a[?@ != $.b]", r#"{"b":{"x":1},"a":[{"x":1},{"x":2}]}"#, r#"[{"x":2}]"#),
        ("2.3.5.2.2", "$.a[?1 == @]", r#"{"a":[1,1.0,10e-1,2]}"#, "[1,1.0,10e-1]"),
        ("2.3.5.2.2", "$.a[?@ == -0]", r#"{"a":[0,-0.0,1]}"#, "[0,-0.0]"),
        // 2.3.5.1: `!` binds before `&&`, `&&` before `||`.
        ("2.3.5.1", "$.a[?@ == 1 || @ == 2 && @ == 3]", r#"{"a":[1,2,3]}"#, "[1]"),
        ("2.3.5.1", "$.a[?(@ == 1 || @ == 2) && @ == 2]", r#"{"a":[1,2,3]}"#, "[2]"),
        ("2.3.5.1", "$.a[?!@.x && @.y]", r#"{"a":[{"x":1,"y":1},{"y":1}]}"#, r#"[{"y":1}]"#),
        (
            "2.3.5.2.1",
            "$.a[?@.x]",
            r#"{"a":[{"x":null},{"x":false},{}]}"#,
            r#"[{"x":null},{"x":false}]"#,
        ),
        ("2.3.5.2.1", "$.a[?$.b]", r#"{"b":0,"a":[1,2]}"#, "[1,2]"),
        ("2.3.5.3", "$.a[?@ > 1, ?@ < 3]", r#"{"a":[1,2,3]}"#, "[2,3,1,2]"),
        ("2.3.5.3", "$.o[?@ < 3]", r#"{"o":{"p":1,"q":5}}"#, "[1]"),
        (
            "2.3.5.2",
            "$.a[?@ == 9007199254740991]",
            r#"{"a":[9007199254740991,9007199254740992]}"#,
            "[9007199254740991]",
        ),
        (
            "2.3.5.2",
            "$.a[?@ == $.want]",
            r#"{"want":12345678901234567890,"a":[12345678901234567890,12345678901234567891]}"#,
            "[12345678901234567890]",
        ),
        (
            "2.3.5.2",
            "$.a[?@ == $.want]",
            r#"{"want":{"x":1,"y":2},"a":[{"y":2,"x":1.0}]}"#,
            r#"[{"y":2,"x":1.0}]"#,
        ),
    ]);
}

#[test]
fn functions_are_those_of_rfc_9535() {
    table(&[
        (
            "2.4.4",
            "$.a[?length(@) == 2]",
            r#"{"a":["éa","abc",[1,2],{"x":1},5]}"#,
            r#"["éa",[1,2]]"#,
        ),
        (
            "2.4.4",
            "$.a[?length(@.b) == length('ab')]",
            r#"{"a":[{"b":"xy"},{"b":5},{}]}"#,
            r#"[{"b":"xy"}]"#,
        ),
        ("2.4.4", "$.a[?length(@.no) == $.none]", r#"{"a":[1]}"#, "[1]"),
        ("2.4.5", "$.a[?count(@.*) > 1]", r#"{"a":[[1],[1,2]]}"#, "[[1,2]]"),
        ("2.4.5", "$.a[?count(@) == 1]", r#"{"a":[7]}"#, "[7]"),
        ("2.4.5", "$.a[?count(@['a','a']) == 2]", r#"{"a":[{"a":1}]}"#, r#"[{"a":1}]"#),
        ("2.4.5", "$.a[?count($.a[*]) == 2]", r#"{"a":[1,2]}"#, "[1,2]"),
        ("2.4.6", "$.a[?match(@, '')]", r#"{"a":["","x",5]}"#, r#"[""]"#),
        ("2.4.6", "$.a[?match(@, 'a|b')]", r#"{"a":["a","b","ab"]}"#, r#"["a","b"]"#),
        (
            "2.4.6",
            "$.a[?!match(@.k, 'x.*')]",
            r#"{"a":[{"k":"xy"},{"k":5},{}]}"#,
            r#"[{"k":5},{}]"#,
        ),
        ("2.4.6", "$.a[?match(@, 'a[^b]c')]", r#"{"a":["abc","axc"]}"#, r#"["axc"]"#),
        ("2.4.7", "$.a[?search(@, '^a')]", r#"{"a":["ab","ba"]}"#, r#"["ab"]"#),
        (
            "2.4.7",
            "$.a[?search(@.k, '[0-9]+') && @.n > 1]",
            r#"{"a":[{"k":"a1","n":2},{"k":"a","n":2}]}"#,
            r#"[{"k":"a1","n":2}]"#,
        ),
        ("2.4.8", "$.a[?value(@.no) == $.none]", r#"{"a":[{}]}"#, "[{}]"),
        ("2.4.8", "$.a[?value(@['x']) == 'y']", r#"{"a":[{"x":"y"},{}]}"#, r#"[{"x":"y"}]"#),
        ("2.4.9", "$.a[?length(value(@.*)) == 2]", r#"{"a":[["ab"],["a"]]}"#, r#"[["ab"]]"#),
        ("2.4.6", "$.a[?match(@, 'a.c')]", r#"{"a":["abc","abcd","a\nc"]}"#, r#"["abc"]"#),
        ("2.4.7", "$.a[?search(@, 'b[.]')]", r#"{"a":["ab.c","abc"]}"#, r#"["ab.c"]"#),
        ("2.4.8", "$.a[?value(@.*) == 4]", r#"{"a":[[4],{"x":4},[4,4]]}"#, r#"[[4],{"x":4}]"#),
    ]);
}

#[test]
fn segments_keep_the_order_of_rfc_9535_and_null_is_a_value() {
    let store = r#"{"book":[{"t":"a","p":8.95},{"t":"b","p":12.99,"i":"x"},{"t":"c","p":8.99}],"n":{"t":"d"}}"#;
    table(&[
        ("2.5.1.3", "$[0, 3]", "[0,1,2,3]", "[0,3]"),
        ("2.5.1.3", "$[0:2, 3]", "[0,1,2,3]", "[0,1,3]"),
        ("2.5.1.3", "$.o[*]['a','d']", r#"{"o":[{"a":1,"d":2},{"a":3,"d":4}]}"#, "[1,2,3,4]"),
        ("2.5.2.3", "$..t", store, r#"["a","b","c","d"]"#),
        ("2.5.2.3", "$.book[?@.p < 9].t", store, r#"["a","c"]"#),
        ("2.5.2.3", "$..[0]", "[5,[3,[1]]]", "[5,3,1]"),
        ("2.5.2.3", "$.book[?@.i].t", store, r#"["b"]"#),
        ("2.5.2.3", "$..*", r#"{"a":[1]}"#, "[[1],1]"),
        ("2.5.2.3", "$.o..[*]", r#"{"o":{"x":[5]},"p":1}"#, "[[5],5]"),
        ("2.5.2.3", "$..['a','b']", r#"{"a":1,"o":{"b":2,"a":3}}"#, "[1,3,2]"),
        ("2.6", "$.a", r#"{"a":null}"#, "[null]"),
        ("2.6", "$.a[0]", r#"{"a":null}"#, "[]"),
        ("2.6", "$.b[*]", r#"{"b":[null]}"#, "[null]"),
        ("2.6", "$.b[?@]", r#"{"b":[null]}"#, "[null]"),
        ("2.6", "$.b[?@ == null]", r#"{"b":[null,0,"",false]}"#, "[null]"),
        ("2.6", "$.c[?@.d == null]", r#"{"c":[{"d":null},{}]}"#, r#"[{"d":null}]"#),
        ("2.6", "$.null", r#"{"null":1}"#, "[1]"),
        ("2.6", "$.a.b", r#"{"a":null}"#, "[]"),
    ]);
}

#[test]
fn what_is_no_path_is_refused_where_it_goes_wrong() {
    for (text, offset, message) in [
        ("$.a b", 3, "a path has no blank outside of brackets"),
        ("$.a ", 3, "a path has no blank outside of brackets"),
        ("$.a[?@.b = 1]", 9, "a single `=` compares nothing"),
        ("$.a[?@.b =~ 'x']", 9, "`=~` is not part of paths"),
        ("$.a[0", 3, "this `[` is not closed"),
        ("$.a['b]", 4, "this quote is not closed"),
        ("$.your-tel", 6, "a name with `-` goes into brackets"),
        ("$.", 2, "the path ends too early"),
        ("$.list.length()", 13, "a path calls no functions here"),
        ("$.a[?length(@.b)]", 5, "`length` gives a number, which is to be compared"),
        ("$.a[?count(@.*)]", 5, "`count` gives a number, which is to be compared"),
        ("$.a[?value(@.b)]", 5, "`value` gives a value, which is to be compared"),
        ("$.a[?length(@.*) > 1]", 5, "this function takes one value, the query may give several"),
        ("$.a[?match(@.b, $.p)]", 5, "the pattern is to be a quoted text"),
        ("$.a[?match(@.b, '(')]", 5, "the pattern is no regular expression"),
        ("$..a..b", 1, "a path has `..` once at most"),
        ("$.a[?@..b]", 6, "a filter cannot search with `..`"),
        ("$body.x", 1, "no `let` is named `body`"),
        ("$item.x", 1, "there is no current item here"),
        ("$batch", 1, "there is no batch: `body.each` does not split the document"),
        ("$my-let.x", 3, "the name of a root has letters, digits and `_`"),
    ] {
        let error = Path::parse(text, &Names::default()).map(|_| ()).unwrap_err();
        assert_eq!((error.offset, error.message.as_str()), (offset, message), "{text}");
    }
}

#[test]
fn an_unknown_root_suggests_the_nearest() {
    let names = Names::default().with_let("answer").with_let("buyer");
    let error = Path::parse("$anser.phone", &names).map(|_| ()).unwrap_err();
    assert_eq!(error.help.as_deref(), Some("did you mean `answer`?"));
}

#[test]
fn each_root_reads_its_own_document_and_filters_see_the_event() {
    let names = Names::default().with_let("first").with_let("both").with_item().with_batch();
    let parse = |text: &str| Path::parse(text, &names).unwrap();
    let (event, whole) = (document(r#"{"a":[1,2],"want":7}"#), document(r#"{"n":9}"#));
    let (item, headers) = (document(r#"[{"id":7},{"id":8}]"#), document(r#"{"x-id":"h"}"#));
    let (query, about) = (document(r#"{"q":"v"}"#), document(r#"{"source":"crm"}"#));
    let values = [Expr::Path(parse("$.a[0]")), Expr::Path(parse("$.a[*]"))];
    let lets = Lets::new(&values);
    let scope = Scope::new(&event)
        .with_request(&headers, &query)
        .with_event(&about)
        .with_batch(&whole)
        .with_item(&item)
        .with_lets(&lets);

    for (path, expected) in [
        ("$item[?@.id == $.want]", r#"[{"id":7}]"#),
        ("$headers['x-id']", r#"["h"]"#),
        ("$query.q", r#"["v"]"#),
        ("$event.source", r#"["crm"]"#),
        ("$batch.n", "[9]"),
        ("$first", "[1]"),
        ("$both", "[[1,2]]"),
        ("$both[1]", "[2]"),
    ] {
        let found = parse(path).select(&scope).unwrap();
        assert_eq!(serde_json::to_string(&found).unwrap(), expected, "{path}");
    }
}

#[test]
fn a_path_begins_with_a_dollar_and_what_a_price_does_not_have() {
    for (text, is) in [
        ("$", true),
        ("$.a", true),
        ("$['a']", true),
        ("$name", true),
        ("$ | json", true),
        ("$5 off", false),
        ("$ 5", false),
        ("US$.a", false),
        ("", false),
    ] {
        assert_eq!(looks_like_path(text), is, "{text}");
    }
}
