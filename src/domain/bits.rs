//! Small sets, one bit for each member.

/// The members of a set, of which `all` has the one of each bit, lowest first. Takes no step for what is not in it.
pub(super) fn members<T: Copy>(mut set: u16, all: &'static [T]) -> impl Iterator<Item = T> {
    std::iter::from_fn(move || {
        let member = all.get(set.trailing_zeros() as usize).copied();
        set &= set.wrapping_sub(1);
        member
    })
}

#[cfg(test)]
mod tests {
    use crate::domain::party::{Categories, Category};
    use crate::domain::verdict::{Tag, Tags, Verdict, Verdicts};

    #[test]
    fn a_set_gives_its_members_in_order() {
        for set in 0..1_u16 << Verdict::ALL.len() {
            let is_in = |place: usize| set & 1 << place != 0;
            let some: Vec<Verdict> = (0..).zip(Verdict::ALL).filter(|(at, _)| is_in(*at)).map(|(_, one)| one).collect();
            assert!(some.iter().fold(Verdicts::default(), |all, one| all.with(*one)).iter().eq(some));
            let some: Vec<Tag> = (0..).zip(Tag::ALL).filter(|(at, _)| is_in(*at)).map(|(_, one)| one).collect();
            assert!(some.iter().fold(Tags::default(), |all, one| all.with(*one)).iter().eq(some));
            let some: Vec<Category> =
                (0..).zip(Category::ALL).filter(|(at, _)| is_in(*at)).map(|(_, one)| one).collect();
            assert!(some.iter().fold(Categories::NONE, |all, one| all.with(*one)).iter().eq(some));
        }
    }
}
